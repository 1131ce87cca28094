import java.awt.Color;
import java.awt.Dimension;
import java.awt.Graphics;
import javax.swing.JPanel;

/** The sun: the brighter, the more yellow. */
final class Sun extends JPanel {
    private final Planet planet;

    Sun(Planet planet) {
        this.planet = planet;
        setPreferredSize(new Dimension(240, 60));
        setMaximumSize(new Dimension(240, 60));
        getAccessibleContext().setAccessibleName("The sun");
    }

    @Override
    protected void paintComponent(Graphics graphics) {
        double share = (planet.brightness() - 0.6) / 1.0;
        int strength = (int) Math.round(255 * Math.min(1, Math.max(0, share)));
        graphics.setColor(new Color(255, strength, 0));
        graphics.fillRect(0, 0, getWidth(), getHeight());
    }
}
