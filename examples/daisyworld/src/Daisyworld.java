import java.awt.BorderLayout;
import java.awt.Component;
import java.awt.Dimension;
import java.awt.event.ActionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.swing.AbstractAction;
import javax.swing.BorderFactory;
import javax.swing.Box;
import javax.swing.BoxLayout;
import javax.swing.JButton;
import javax.swing.JComponent;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JPanel;
import javax.swing.JScrollPane;
import javax.swing.JSlider;
import javax.swing.JTextArea;
import javax.swing.KeyStroke;
import javax.swing.SwingUtilities;
import javax.swing.Timer;

/** The program: a planet, what can be done with it, and what comes of that. */
public final class Daisyworld extends JFrame {
    private static final int FRAME_MILLISECONDS = 40;

    private final Planet planet = new Planet();
    private final History history = new History();
    private final Plot plot = new Plot(history);
    private final Sun sun = new Sun(planet);
    private final JSlider slider = new JSlider(60, 160, 100);
    private final JLabel told = new JLabel();
    private final JTextArea notes = new JTextArea(6, 20);
    private final JButton run = new JButton("Run");
    private final Path folder;
    private final Timer clock = new Timer(FRAME_MILLISECONDS, event -> pass());

    private Daisyworld(Path folder) {
        super("Daisyworld");
        this.folder = folder;
        setDefaultCloseOperation(EXIT_ON_CLOSE);
        add(controls(), BorderLayout.WEST);
        add(plot, BorderLayout.CENTER);
        setPreferredSize(new Dimension(1000, 640));
        pack();
        describe();
        slider.requestFocusInWindow();
    }

    private JComponent controls() {
        slider.setMajorTickSpacing(20);
        slider.setPaintTicks(true);
        slider.setFocusable(true);
        slider.getAccessibleContext().setAccessibleName("Brightness of the sun in percent");
        slider.addChangeListener(event -> shine());
        run.addActionListener(event -> toggle());
        JButton again = new JButton("Begin again");
        again.addActionListener(event -> history.clear());
        JButton save = new JButton("Save CSV");
        save.addActionListener(event -> save());
        notes.setLineWrap(true);
        notes.setWrapStyleWord(true);
        notes.getAccessibleContext().setAccessibleName("Notes");

        JPanel panel = new JPanel();
        panel.setLayout(new BoxLayout(panel, BoxLayout.Y_AXIS));
        panel.setBorder(BorderFactory.createEmptyBorder(10, 10, 10, 10));
        for (Component each :
                new Component[] {sun, new JLabel("Brightness of the sun"), slider, run, again, save}) {
            add(panel, each);
        }
        add(panel, told);
        add(panel, new JLabel("Notes"));
        add(panel, new JScrollPane(notes));
        bind(panel, "ctrl S", this::save);
        bind(panel, "F5", this::toggle);
        return panel;
    }

    private static void add(JPanel panel, Component each) {
        ((JComponent) each).setAlignmentX(Component.LEFT_ALIGNMENT);
        if (!(each instanceof JScrollPane)) {
            each.setMaximumSize(new Dimension(240, each.getPreferredSize().height));
        }
        panel.add(each);
        panel.add(Box.createVerticalStrut(8));
    }

    private void bind(JComponent component, String keys, Runnable work) {
        component.getInputMap(JComponent.WHEN_IN_FOCUSED_WINDOW).put(KeyStroke.getKeyStroke(keys), keys);
        component
                .getActionMap()
                .put(
                        keys,
                        new AbstractAction() {
                            @Override
                            public void actionPerformed(ActionEvent event) {
                                work.run();
                            }
                        });
    }

    private void shine() {
        planet.setBrightness(slider.getValue() / 100.0);
        sun.repaint();
        describe();
    }

    private void toggle() {
        if (clock.isRunning()) {
            clock.stop();
        } else {
            clock.start();
        }
        run.setText(clock.isRunning() ? "Pause" : "Run");
    }

    private void pass() {
        planet.step();
        history.look(planet);
        plot.repaint();
        describe();
    }

    private void describe() {
        told.setText(String.format("%d %%: %.1f °C", slider.getValue(), planet.temperature()));
    }

    private void save() {
        history.look(planet);
        try {
            Path saved = history.save(folder);
            if (!notes.getText().isBlank()) {
                String name = saved.getFileName().toString();
                Files.writeString(saved.resolveSibling(name.replace(".csv", ".txt")), notes.getText());
            }
            told.setText("Saved " + saved.getFileName());
        } catch (IOException problem) {
            told.setText("Not saved: " + problem.getMessage());
        }
    }

    /** Start it; the first argument is the folder to save in, the present one if there is none. */
    public static void main(String[] arguments) {
        Path folder = Path.of(arguments.length > 0 ? arguments[0] : "").toAbsolutePath();
        SwingUtilities.invokeLater(() -> new Daisyworld(folder).setVisible(true));
    }
}
