import { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { act } from '@testing-library/react';

import { once, spareDialogs } from '../widgets/doubleClicks';

describe('once', () => {
  it('takes a double click for one', () => {
    const run = jest.fn();
    const clicked = once(run);
    for (const detail of [1, 2, 3]) {
      clicked({ detail } as React.MouseEvent);
    }
    expect(run).toHaveBeenCalledTimes(1);
    // By keyboard.
    clicked({ detail: 0 } as React.MouseEvent);
    expect(run).toHaveBeenCalledTimes(2);
  });
});

describe('spareDialogs', () => {
  beforeAll(spareDialogs);

  /** A dialog that has been shown, and ways to click on it. */
  const shown = async (className: string) => {
    const body = new Widget();
    body.addClass(className);
    const dialog = new Dialog({ body, buttons: [Dialog.okButton()] });
    await act(async () => {
      void dialog.launch();
      await dialog.ready;
    });
    const click = async (target: Element, detail: number): Promise<void> => {
      await act(async () => {
        for (const type of ['mousedown', 'click']) {
          target.dispatchEvent(new MouseEvent(type, { bubbles: true, detail }));
        }
        await Promise.resolve();
      });
    };
    const button = dialog.node.querySelector('.jp-Dialog-footer button')!;
    return { dialog, click, button };
  };

  it('keeps a dialog of ours from the second click of what opened it', async () => {
    const { dialog, click, button } = await shown('jp-vce-question');
    await click(dialog.node, 2);
    await click(button, 2);
    expect(dialog.isDisposed).toBe(false);
    await click(dialog.node, 1);
    expect(dialog.isDisposed).toBe(true);
  });

  it('leaves what is in it, and the dialogs of others, alone', async () => {
    const ours = await shown('jp-vce-question');
    const clicked = jest.fn();
    const body = ours.dialog.node.querySelector('.jp-Dialog-body')!;
    body.addEventListener('click', clicked);
    await ours.click(body, 2);
    expect(clicked).toHaveBeenCalled();
    await ours.click(ours.button, 1);
    expect(ours.dialog.isDisposed).toBe(true);
    const other = await shown('jp-other');
    await other.click(other.dialog.node, 2);
    expect(other.dialog.isDisposed).toBe(true);
  });
});
