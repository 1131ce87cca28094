import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IResetPreview } from '../backupTokens';
import { contentsWords, sizeWords } from '../backupWords';
import type { IService } from '../tokens';
import { DataItems } from './dataItems';

interface IResetPreviewProps {
  readonly preview: IResetPreview;
  readonly title: string;
  readonly trans: TranslationBundle;
}

/** What a reset would take away, leave and bring, and how it is undone. */
export function ResetPreviewView(props: IResetPreviewProps): React.JSX.Element {
  const { preview, title, trans } = props;
  const { goes, stays, safety_copy_bytes: copy, free_bytes: free } = preview;
  return (
    <div className="jp-vce-question jp-vce-reset">
      {goes.length === 0 ? (
        <p>{trans.__('There is nothing in %1 that would be lost.', title)}</p>
      ) : (
        <>
          <p>
            <strong>
              {trans.__(
                'This goes: %1 (%2).',
                contentsWords(goes, trans),
                sizeWords(preview.goes_bytes, trans)
              )}
            </strong>
          </p>
          <DataItems items={goes} label={trans.__('What goes')} trans={trans} />
        </>
      )}
      {stays.length > 0 && (
        <div>
          <p>
            <strong>{trans.__('This stays:')}</strong>
          </p>
          <ul>
            {stays.map(one => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      )}
      <p>
        <strong>{trans.__('Afterwards:')}</strong> {preview.becomes}
      </p>
      <p>
        {copy === null
          ? trans.__(
              'A safety copy is made first and proven, and nothing goes before that. With it you can undo the reset. %1 are free for it.',
              sizeWords(free, trans)
            )
          : trans.__(
              'A safety copy is made first and proven, and nothing goes before that. With it you can undo the reset. It takes about %1 of the %2 that are free.',
              sizeWords(copy, trans),
              sizeWords(free, trans)
            )}
      </p>
    </div>
  );
}

/** Ask whether a service may be reset, saying what that would do. */
export async function confirmReset(
  preview: IResetPreview,
  service: Pick<IService, 'title'>,
  trans: TranslationBundle
): Promise<boolean> {
  const { title } = service;
  const { button } = await showDialog({
    title: trans.__('Reset %1?', title),
    body: <ResetPreviewView preview={preview} title={title} trans={trans} />,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep my data') }),
      Dialog.warnButton({ label: trans.__('Make a copy, then reset') })
    ],
    // The one that changes nothing.
    defaultButton: 0
  });
  return button.accept;
}
