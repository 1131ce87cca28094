import { Dialog } from '@jupyterlab/apputils';

/**
 * Give our dialogs the name that their title shows, for those who hear it.
 *
 * JupyterLab names a dialog only where its body is a plain string.
 */
export function nameDialogs(): void {
  Dialog.tracker.widgetAdded.connect((_, dialog) => {
    void dialog.ready.then(() => {
      const { node } = dialog;
      const ours = node.querySelector('[class*="jp-vce-"]');
      const title = node.querySelector('.jp-Dialog-header')?.textContent;
      if (ours && title && !node.hasAttribute('aria-label')) {
        node.setAttribute('aria-label', title);
      }
    });
  });
}
