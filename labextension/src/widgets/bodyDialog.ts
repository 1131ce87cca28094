import { Dialog } from '@jupyterlab/apputils';

/**
 * A dialog whose body has buttons or fields of its own.
 *
 * JupyterLab's takes the Enter key for its default button wherever it is pressed: a button in the
 * body could not be pressed by it, and a name that is typed would end in a cancel.
 */
export class BodyDialog<T> extends Dialog<T> {
  override handleEvent(event: Event): void {
    const enter = event instanceof KeyboardEvent && event.key === 'Enter';
    const { target } = event;
    const inBody =
      target instanceof Element && target.closest('.jp-Dialog-body') !== null;
    if (!(enter && inBody)) {
      super.handleEvent(event);
    }
  }
}
