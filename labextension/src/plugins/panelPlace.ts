import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { TabPanel, type Widget } from '@lumino/widgets';

/** Where the panel is, and how it comes to the front there. */
export interface IPlace {
  activate(): void;
}

/**
 * Put the panel where people look for it: in the sidebar or, on the page with which Jupyter
 * Notebook begins, beside its files.
 */
export function placeOf(panel: Widget, app: JupyterFrontEnd): IPlace {
  if (PageConfig.getOption('notebookPage') !== 'tree') {
    app.shell.add(panel, 'left', { rank: 250, type: 'VCE' });
    return { activate: () => app.shell.activateById(panel.id) };
  }
  panel.title.label = panel.title.caption;
  let tree: TabPanel | undefined;
  let wanted = false;
  const activate = (): void => {
    wanted = true;
    if (tree) {
      tree.currentWidget = panel;
    }
  };
  // Others make that page; it is there once all have been asked to do their part.
  void app.started.then(() => {
    tree = [...app.shell.widgets('main')].find(isTree);
    if (!tree) {
      app.shell.add(panel, 'left', { rank: 250 });
      return;
    }
    tree.addWidget(panel);
    if (wanted) {
      activate();
    }
  });
  return { activate };
}

function isTree(widget: Widget): widget is TabPanel {
  return widget instanceof TabPanel && widget.hasClass('jp-TreePanel');
}
