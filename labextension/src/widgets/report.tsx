import {
  Clipboard,
  Dialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem, IVCEModel } from '../tokens';
import { problemWords } from '../words';

/**
 * Copy the report for the forum, and show what has been copied: who posts it should know it.
 *
 * Says so where the server does not give it. Never rejects.
 */
export async function copyReport(
  model: IVCEModel,
  trans: TranslationBundle
): Promise<void> {
  let text: string;
  try {
    text = await model.report();
  } catch (reason) {
    const { message, hint } = problemWords(reason as IProblem, trans);
    Notification.error(`${message} ${hint}`.trim(), { autoClose: 8_000 });
    return;
  }
  Clipboard.copyToSystem(text);
  const { button } = await showDialog({
    title: trans.__('Report for the forum'),
    body: (
      <div className="jp-vce-question jp-vce-report">
        <p>
          {trans.__(
            'It is copied: paste it into your post. Passwords, your name and your folders are not in it; look through it all the same.'
          )}
        </p>
        <textarea
          readOnly
          rows={14}
          aria-label={trans.__('Report for the forum')}
          value={text}
        />
      </div>
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      Dialog.okButton({ label: trans.__('Copy again') })
    ],
    defaultButton: 0
  });
  if (button.accept) {
    Clipboard.copyToSystem(text);
  }
}
