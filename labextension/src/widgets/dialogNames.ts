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
      const title = node.querySelector('.jp-Dialog-header')?.textContent;
      if (isOurs(node) && title && !node.hasAttribute('aria-label')) {
        node.setAttribute('aria-label', title);
      }
    });
  });
}

/** Whether what a dialog holds is ours: all that opens ours marks its body. */
export function isOurs(dialog: HTMLElement): boolean {
  return dialog.querySelector('[class*="jp-vce-"]') !== null;
}
