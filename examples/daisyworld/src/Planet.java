/**
 * A grey planet on which black and white daisies grow, after the model of Watson and Lovelock
 * (1983). Black ones take up warmth, white ones throw it back, and both grow best at 22.5 °C, so
 * that together they keep the planet habitable while its sun becomes brighter.
 */
final class Planet {
    private static final double FLUX = 917.0;
    private static final double STEFAN_BOLTZMANN = 5.67e-8;
    private static final double CONDUCTION = 2.06e9;
    private static final double ZERO_CELSIUS = 273.15;
    private static final double BEST_TEMPERATURE = 22.5;
    private static final double TOLERANCE = 0.003265;
    private static final double DEATH_RATE = 0.3;
    private static final double BARE = 0.5;
    private static final double WHITE = 0.75;
    private static final double BLACK = 0.25;
    private static final double FEWEST = 0.01;
    private static final double STEP = 0.05;

    private double brightness = 1.0;
    private double white = 0.2;
    private double black = 0.2;
    private double time;

    /** How bright the sun is, 1 being ours as it is for a planet without life to be habitable. */
    double brightness() {
        return brightness;
    }

    void setBrightness(double value) {
        brightness = value;
    }

    /** The share of the ground under white daisies, 0 to 1. */
    double white() {
        return white;
    }

    /** The share of the ground under black daisies, 0 to 1. */
    double black() {
        return black;
    }

    /** In the units in which 0.3 of all daisies die in one. */
    double time() {
        return time;
    }

    /** The planet's mean temperature in °C. */
    double temperature() {
        return Math.pow(FLUX * brightness * (1 - albedo()) / STEFAN_BOLTZMANN, 0.25) - ZERO_CELSIUS;
    }

    /** The mean temperature the planet would have without daisies, in °C. */
    double barrenTemperature() {
        return Math.pow(FLUX * brightness * (1 - BARE) / STEFAN_BOLTZMANN, 0.25) - ZERO_CELSIUS;
    }

    /** Let a little time pass. */
    void step() {
        double free = 1 - white - black;
        double albedo = albedo();
        double mean = Math.pow(temperature() + ZERO_CELSIUS, 4);
        double newWhite = white + STEP * white * (free * growth(mean, albedo, WHITE) - DEATH_RATE);
        double newBlack = black + STEP * black * (free * growth(mean, albedo, BLACK) - DEATH_RATE);
        white = Math.max(FEWEST, newWhite);
        black = Math.max(FEWEST, newBlack);
        time += STEP;
    }

    private double albedo() {
        return white * WHITE + black * BLACK + (1 - white - black) * BARE;
    }

    private static double growth(double mean, double albedo, double own) {
        double local = Math.pow(CONDUCTION * (albedo - own) + mean, 0.25) - ZERO_CELSIUS;
        double away = BEST_TEMPERATURE - local;
        return Math.max(0, 1 - TOLERANCE * away * away);
    }
}
