import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IBackup, IUndoes } from '../backupTokens';
import { momentWords, sizeWords } from '../backupWords';
import type { IOperation, IProblem, IService } from '../tokens';
import { problemWords } from '../words';

/** Ask whether a backup may be deleted, saying what can no longer be done then. */
export async function confirmDelete(
  backup: IBackup,
  undoes: IUndoes | undefined,
  title: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Delete this backup?'),
    body: (
      <div className="jp-vce-question">
        <p>
          {trans.__(
            '%1, %2 (%3). It cannot be brought back.',
            title,
            momentWords(backup.created),
            sizeWords(backup.bytes, trans)
          )}
        </p>
        {backup.reason === 'safety' && (
          <p>
            {undoes?.kind === 'reset'
              ? trans.__('It is what undoes the reset of %1.', title)
              : trans.__(
                  'It is a safety copy: without it, what came after it cannot be undone.'
                )}
          </p>
        )}
        <p>
          {trans.__(
            'Your data in %1 and your other backups stay as they are.',
            title
          )}
        </p>
      </div>
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep it') }),
      Dialog.warnButton({ label: trans.__('Delete the backup') })
    ],
    defaultButton: 0
  });
  return button.accept;
}

/** Offer to start a service that cannot be looked into while it is at rest. */
export async function offerStart(
  service: IService,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Start %1 first?', service.title),
    body: (
      <div className="jp-vce-question">
        <p>
          {trans.__(
            '%1 is not running, so nobody can say what a reset would take away. Once it runs you are shown that, and asked.',
            service.title
          )}
        </p>
      </div>
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Start %1', service.title) })
    ]
  });
  return button.accept;
}

/** What may be done about work that went wrong. */
export type FailureAnswer = 'nothing' | 'report' | 'insist';

/**
 * Tell in full why work on data went wrong; where only the safety copy was in the way, the work may
 * be done without it.
 */
export async function showFailure(
  operation: IOperation,
  mayInsist: boolean,
  trans: TranslationBundle
): Promise<FailureAnswer> {
  const problem: IProblem = operation.error ?? {
    code: '',
    message: operation.message,
    hint: ''
  };
  const answers: FailureAnswer[] = ['nothing', 'report'];
  const buttons = [
    Dialog.cancelButton({ label: trans.__('Close') }),
    Dialog.createButton({ label: trans.__('Copy for the forum') })
  ];
  if (mayInsist) {
    answers.push('insist');
    buttons.push(Dialog.warnButton({ label: trans.__('Without a copy…') }));
  }
  const { button } = await showDialog({
    title: failureTitle(operation.kind, trans),
    body: <ProblemView problem={problem} trans={trans} />,
    buttons,
    defaultButton: 0
  });
  return answers[buttons.indexOf(button)] ?? 'nothing';
}

/** Ask once more, in plain words, before something that cannot be undone. */
export async function confirmWithoutCopy(
  kind: string,
  title: string | null,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Go on without a safety copy?'),
    body: (
      <div className="jp-vce-question">
        <p>
          <strong>{trans.__('There is no undo then.')}</strong>{' '}
          {trans.__(
            'What you have in %1 now is only set aside in a folder, and bringing it back from there takes somebody who knows how.',
            title ?? trans.__('these services')
          )}
        </p>
        <p>
          {trans.__(
            'If you are not sure, keep your data and ask your tutor: nothing has been changed so far.'
          )}
        </p>
      </div>
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep my data') }),
      Dialog.warnButton({
        label:
          kind === 'reset'
            ? trans.__('Reset without undo')
            : trans.__('Replace without undo')
      })
    ],
    defaultButton: 0
  });
  return button.accept;
}

/** Tell in full why something was refused. */
export async function showProblem(
  title: string,
  problem: IProblem,
  trans: TranslationBundle
): Promise<void> {
  await showDialog({
    title,
    body: <ProblemView problem={problem} trans={trans} />,
    buttons: [Dialog.cancelButton({ label: trans.__('Close') })]
  });
}

function ProblemView(props: {
  readonly problem: IProblem;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { message, hint } = problemWords(props.problem, props.trans);
  return (
    <div className="jp-vce-question">
      <p>{message}</p>
      {hint && <p>{hint}</p>}
    </div>
  );
}

function failureTitle(kind: string, trans: TranslationBundle): string {
  switch (kind) {
    case 'backup':
      return trans.__('The backup did not work');
    case 'verify':
      return trans.__('The backup could not be proven');
    case 'restore':
      return trans.__('The restore did not work');
    default:
      return trans.__('The reset did not work');
  }
}
