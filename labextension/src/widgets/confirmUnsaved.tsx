import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IService } from '../tokens';

/** Ask whether what is not saved in a program may be lost. */
export async function confirmUnsaved(
  verb: 'stop' | 'restart',
  { title }: IService,
  trans: TranslationBundle
): Promise<boolean> {
  const stop = verb === 'stop';
  const { button } = await showDialog({
    title: stop
      ? trans.__('Stop %1 without saving?', title)
      : trans.__('Restart %1 without saving?', title),
    body: (
      <div className="jp-vce-question">
        <p>
          {trans.__(
            'Everything you have not saved in %1 is lost, and cannot be brought back. What you saved stays.',
            title
          )}
        </p>
        <p>
          {trans.__(
            'To keep it, press Cancel here, open %1, and answer the question it asks there.',
            title
          )}
        </p>
      </div>
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({
        label: stop
          ? trans.__('Stop without saving')
          : trans.__('Restart without saving')
      })
    ],
    // The one that loses nothing.
    defaultButton: 0
  });
  return button.accept;
}
