import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.swing.JPanel;

/** Temperature and areas over time: the last moments that there is room for. */
final class Plot extends JPanel {
    private static final int MARGIN = 48;
    private static final int SHOWN = 800;
    private static final double COLDEST = -20;
    private static final double HOTTEST = 80;
    private static final Color WITH_DAISIES = new Color(0x0B6E4F);
    private static final Color BARREN = new Color(0x8A8A8A);

    private final History history;

    Plot(History history) {
        this.history = history;
        getAccessibleContext().setAccessibleName("Temperature and areas over time");
    }

    @Override
    protected void paintComponent(Graphics graphics) {
        Graphics2D g = (Graphics2D) graphics.create();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, getWidth(), getHeight());
        int half = getHeight() / 2;
        drawFrame(g, 0, half, "Temperature (°C): green with daisies, grey without", COLDEST, HOTTEST);
        drawFrame(g, half, half, "Area: black and white daisies", 0, 1);
        List<History.Moment> all = history.moments();
        List<History.Moment> last = all.subList(Math.max(0, all.size() - SHOWN), all.size());
        drawLine(g, last, History.Moment::barren, 0, half, COLDEST, HOTTEST, BARREN, 2);
        drawLine(g, last, History.Moment::temperature, 0, half, COLDEST, HOTTEST, WITH_DAISIES, 3);
        drawLine(g, last, History.Moment::black, half, half, 0, 1, Color.BLACK, 3);
        drawLine(g, last, History.Moment::white, half, half, 0, 1, new Color(0xC9A227), 3);
        g.dispose();
    }

    private void drawFrame(Graphics2D g, int top, int height, String title, double low, double high) {
        g.setColor(Color.DARK_GRAY);
        g.drawString(title, MARGIN, top + 20);
        g.drawRect(MARGIN, top + 28, getWidth() - MARGIN - 16, height - 44);
        g.drawString(String.format("%.0f", high), 10, top + 36);
        g.drawString(String.format("%.0f", low), 10, top + height - 16);
    }

    private void drawLine(
            Graphics2D g,
            List<History.Moment> shown,
            ToDoubleFunction<History.Moment> value,
            int top,
            int height,
            double low,
            double high,
            Color colour,
            float width) {
        if (shown.isEmpty()) {
            return;
        }
        Path2D line = new Path2D.Double();
        double wide = getWidth() - MARGIN - 16.0;
        for (int i = 0; i < shown.size(); i++) {
            double share = (value.applyAsDouble(shown.get(i)) - low) / (high - low);
            double x = MARGIN + wide * i / SHOWN;
            double y = top + height - 16 - (height - 44) * Math.min(1, Math.max(0, share));
            if (i == 0) {
                line.moveTo(x, y);
            } else {
                line.lineTo(x, y);
            }
        }
        g.setColor(colour);
        g.setStroke(new BasicStroke(width));
        g.draw(line);
    }
}
