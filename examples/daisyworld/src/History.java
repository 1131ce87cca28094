import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What has been seen of a planet, oldest first. */
final class History {
    /** One look at the planet. */
    record Moment(
            double time,
            double brightness,
            double temperature,
            double barren,
            double white,
            double black) {}

    private static final int MOST = 200_000;

    private final List<Moment> moments = new ArrayList<>();

    void look(Planet planet) {
        if (moments.size() < MOST) {
            moments.add(
                    new Moment(
                            planet.time(),
                            planet.brightness(),
                            planet.temperature(),
                            planet.barrenTemperature(),
                            planet.white(),
                            planet.black()));
        }
    }

    List<Moment> moments() {
        return moments;
    }

    void clear() {
        moments.clear();
    }

    /** Write everything into a new file in {@code folder}, under the first name that is free. */
    Path save(Path folder) throws IOException {
        Path file = folder.resolve("daisyworld.csv");
        for (int number = 2; Files.exists(file); number++) {
            file = folder.resolve("daisyworld-" + number + ".csv");
        }
        StringBuilder text =
                new StringBuilder("time,brightness,temperature,barren_temperature,white,black\n");
        for (Moment moment : moments) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%.2f,%.3f,%.3f,%.3f,%.4f,%.4f%n",
                            moment.time(),
                            moment.brightness(),
                            moment.temperature(),
                            moment.barren(),
                            moment.white(),
                            moment.black()));
        }
        return Files.writeString(file, text, StandardCharsets.UTF_8);
    }
}
