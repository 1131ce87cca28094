import { Dialog } from '@jupyterlab/apputils';
import type * as React from 'react';

import { isOurs } from './dialogNames';

/** A button's click, where the second one of a double click is none: it would do all of it twice. */
export function once(run: () => void): React.MouseEventHandler {
  return ({ detail }) => {
    if (detail < 2) {
      run();
    }
  };
}

/**
 * Keep our dialogs from the second click of the double one that opened them.
 *
 * JupyterLab takes a click beside a dialog for a wish to close it: whoever clicks everything twice
 * would see nothing happen. On one of its buttons it would answer what nobody has read.
 */
export function spareDialogs(): void {
  Dialog.tracker.widgetAdded.connect((_, { node }) => {
    const spare = (event: MouseEvent): void => {
      const inBody =
        event.target instanceof Element &&
        event.target.closest('.jp-Dialog-body') !== null;
      if (event.detail > 1 && !inBody && isOurs(node)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    };
    // Before JupyterLab's own, which listens from when the dialog is shown.
    node.addEventListener('click', spare, true);
  });
}
