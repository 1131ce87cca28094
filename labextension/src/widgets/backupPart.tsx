import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { DATA_KINDS, type IBackup, type IVCEBackups } from '../backupTokens';
import { momentWords, newestWords, proofMeaning } from '../backupWords';
import { stateIcons } from '../icons';
import type {
  IBackupSummary,
  IOperation,
  IService,
  IVCEModel,
  ShownState
} from '../tokens';
import { problemWords } from '../words';
import { once } from './doubleClicks';
import { useChanges, useTicking } from './hooks';
import { PROOF_ICONS } from './proof';

/** What a place in the panel can have done with data. */
export type DataAction = 'back-up' | 'reset' | 'backups';

interface IBackupPartProps {
  readonly service: IService;
  readonly state: ShownState;
  readonly model: IVCEModel;
  readonly backups: IVCEBackups;
  /** Whether it can be done now. */
  readonly allowed: (action: DataAction, service: IService) => boolean;
  readonly run: (action: DataAction, service: IService) => void;
  readonly cancel: (operation: IOperation) => void;
  /** Have a backup's data where the service cannot open its own. */
  readonly bringOver: (backup: IBackup) => void;
  /** Tell in full how work went wrong. */
  readonly explain: (operation: IOperation) => void;
  readonly trans: TranslationBundle;
}

/** A service's newest backup and its proof, and what can be done with its data. */
export function BackupPart(props: IBackupPartProps): React.JSX.Element | null {
  const { service, state, model, backups, trans } = props;
  useChanges(model);
  useChanges(backups);
  useTicking(30_000);
  const can = (capability: 'backup' | 'restore' | 'reset'): boolean =>
    service.capabilities.includes(capability);
  if (state === 'unavailable' || !(can('backup') || can('restore'))) {
    return null;
  }
  const newest = newestOwn(service, backups);
  const Proof = newest ? PROOF_ICONS[newest.verified].react : null;
  const under = model.operation(service.name);
  const failure = under ? undefined : backups.failure(service.name);
  const rescue = under ? undefined : rescueOf(service, backups);
  const { title } = service;
  const buttons: [DataAction, string, string, boolean][] = [
    [
      'back-up',
      trans.__('Back up'),
      trans.__('Back up %1', title),
      can('backup')
    ],
    ['reset', trans.__('Reset…'), trans.__('Reset %1…', title), can('reset')],
    ['backups', trans.__('Backups'), trans.__('Backups of %1', title), true]
  ];
  return (
    <div className="jp-vce-backup-part">
      {state !== 'unknown' && (
        <p
          className="jp-vce-newest"
          data-vce-proof={newest?.verified ?? 'none'}
          title={
            newest
              ? `${momentWords(newest.created)}. ${proofMeaning(newest.verified, trans)}`
              : undefined
          }
        >
          {Proof && (
            <Proof
              className="jp-vce-proof-icon"
              tag="span"
              aria-hidden="true"
            />
          )}
          <span>{newestWords(newest, model.serverNow(), trans)}</span>
        </p>
      )}
      {failure && (
        <Failed
          operation={failure}
          explain={props.explain}
          title={title}
          trans={trans}
        />
      )}
      <div
        role="group"
        aria-label={trans.__('Data of %1', title)}
        className="jp-vce-actions"
      >
        {buttons
          .filter(([, , , there]) => there)
          .map(([action, words, label]) => {
            const idle = !props.allowed(action, service);
            return (
              <button
                key={action}
                type="button"
                className="jp-vce-button jp-mod-quiet"
                data-vce-action={action}
                aria-label={label}
                aria-disabled={idle}
                onClick={event => {
                  if (!idle && event.detail < 2) {
                    props.run(action, service);
                  }
                }}
              >
                {words}
              </button>
            );
          })}
        {rescue && (
          <button
            type="button"
            className="jp-vce-button"
            data-vce-action="bring-over"
            onClick={once(() => props.bringOver(rescue))}
          >
            {trans.__(
              'Bring the data over from the backup of %1',
              momentWords(rescue.created)
            )}
          </button>
        )}
        {under && DATA_KINDS.includes(under.kind) && (
          <button
            type="button"
            className="jp-vce-button jp-mod-quiet"
            data-vce-action="cancel"
            aria-label={cancelLabel(under.kind, title, trans)}
            onClick={once(() => props.cancel(under))}
          >
            {trans.__('Cancel')}
          </button>
        )}
      </div>
    </div>
  );
}

/** An uploaded file holds what somebody else had: it saves nobody's work here. */
function newestOwn(
  { name, last_backup: newest }: IService,
  { backups }: IVCEBackups
): IBackupSummary | null {
  return newest?.reason === 'upload'
    ? (backups.find(
        ({ service, reason }) => service === name && reason !== 'upload'
      ) ?? null)
    : newest;
}

/** The backup that the server names, to bring over what this release of the program cannot open. */
function rescueOf(
  { name, error }: IService,
  { backups }: IVCEBackups
): IBackup | undefined {
  return error?.code === 'data-wrong-version'
    ? backups.find(
        ({ service, path }) =>
          service === name &&
          error.hint.includes(path.slice(path.lastIndexOf('/') + 1))
      )
    : undefined;
}

function Failed(props: {
  readonly operation: IOperation;
  readonly title: string;
  readonly explain: (operation: IOperation) => void;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { operation, title, trans } = props;
  const Icon = stateIcons.failed.react;
  const { message } = operation.error
    ? problemWords(operation.error, trans)
    : operation;
  return (
    <div className="jp-vce-backup-failed">
      <Icon className="jp-vce-proof-icon" tag="span" aria-hidden="true" />
      <div>
        <p>{message}</p>
        <button
          type="button"
          className="jp-vce-link"
          aria-label={trans.__('What to do about it (%1)', title)}
          onClick={once(() => props.explain(operation))}
        >
          {trans.__('What to do about it')}
        </button>
      </div>
    </div>
  );
}

function cancelLabel(
  kind: string,
  title: string,
  trans: TranslationBundle
): string {
  switch (kind) {
    case 'backup':
      return trans.__('Cancel the backup of %1', title);
    case 'verify':
      return trans.__('Cancel the proof for %1', title);
    case 'restore':
      return trans.__('Cancel the restore of %1', title);
    default:
      return trans.__('Cancel the reset of %1', title);
  }
}
