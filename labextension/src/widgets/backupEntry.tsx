import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BackupAction, IBackup, IVCEBackups } from '../backupTokens';
import {
  agoWords,
  consistencyWords,
  contentsWords,
  fileName,
  momentWords,
  proofMeaning,
  proofWords,
  reasonWords,
  sizeWords
} from '../backupWords';
import { DataItems } from './dataItems';
import { PROOF_ICONS } from './proof';

interface IBackupEntryProps {
  readonly backup: IBackup;
  readonly backups: IVCEBackups;
  readonly titleOf: (service: string) => string;
  /** Whether it can be done now; undefined where it never can. */
  readonly allowed: (
    action: BackupAction,
    backup: IBackup
  ) => boolean | undefined;
  readonly run: (action: BackupAction, backup: IBackup) => void;
  readonly now: number;
  readonly trans: TranslationBundle;
}

/** One backup: when, how large, why, whether proven, and what can be done with it. */
export function BackupEntry(props: IBackupEntryProps): React.JSX.Element {
  const { backup, backups, titleOf, now, trans } = props;
  const undoes = backups.undoes(backup.id);
  const moment = momentWords(backup.created);
  const Proof = PROOF_ICONS[backup.verified].react;
  const button = (
    action: BackupAction,
    words: string,
    label: string
  ): React.JSX.Element | null => {
    const allowed = props.allowed(action, backup);
    return allowed === undefined ? null : (
      <button
        type="button"
        className="jp-vce-button jp-mod-quiet"
        data-vce-action={action}
        aria-label={label}
        aria-disabled={!allowed}
        onClick={event => {
          if (allowed && event.detail < 2) {
            props.run(action, backup);
          }
        }}
      >
        {words}
      </button>
    );
  };
  return (
    <li
      className="jp-vce-backup"
      data-vce-backup={backup.id}
      data-vce-proof={backup.verified}
      data-vce-reason={backup.reason}
    >
      <p className="jp-vce-backup-head">
        <strong>{moment}</strong>
        <span className="jp-vce-fact">
          {agoWords(backup.created, now, trans)}
        </span>
        <span className="jp-vce-fact">{sizeWords(backup.bytes, trans)}</span>
        <span className="jp-vce-proof">
          <Proof className="jp-vce-proof-icon" tag="span" aria-hidden="true" />
          {proofWords(backup.verified, trans)}
        </span>
        {backup.pinned && (
          <span className="jp-vce-pinned">{trans.__('Pinned')}</span>
        )}
      </p>
      <p className="jp-vce-backup-why">
        {reasonWords(backup, undoes, titleOf, trans)}
        {backup.contents.length > 0 && (
          <span className="jp-vce-fact">
            {contentsWords(backup.contents, trans)}
          </span>
        )}
      </p>
      <div
        role="group"
        aria-label={trans.__('Backup of %1', moment)}
        className="jp-vce-actions"
      >
        {backup.reason === 'safety' &&
          button(
            'undo',
            undoes?.kind === 'restore'
              ? trans.__('Undo the restore')
              : undoes
                ? trans.__('Undo the reset')
                : trans.__('Put everything back'),
            trans.__('Put everything back to how it was on %1', moment)
          )}
        {button(
          'restore',
          trans.__('Restore…'),
          trans.__('Restore from the backup of %1…', moment)
        )}
        {backup.verified !== 'verified' &&
          button(
            'verify',
            trans._p('verb', 'Prove'),
            trans.__('Prove that the backup of %1 restores', moment)
          )}
        <a
          className="jp-vce-button jp-mod-quiet"
          data-vce-action="download"
          href={backups.downloadUrl(backup.id)}
          download={fileName(backup)}
          aria-label={trans.__('Download the backup of %1', moment)}
        >
          {trans._p('verb', 'Download')}
        </a>
        {button(
          'pin',
          backup.pinned ? trans._p('verb', 'Unpin') : trans._p('verb', 'Pin'),
          backup.pinned
            ? trans.__('Unpin the backup of %1', moment)
            : trans.__('Pin the backup of %1: keep it for good', moment)
        )}
        {button(
          'delete',
          trans.__('Delete…'),
          trans.__('Delete the backup of %1…', moment)
        )}
      </div>
      <details className="jp-vce-details">
        <summary>{trans.__('What is in it')}</summary>
        <p>
          {proofMeaning(backup.verified, trans)}{' '}
          {consistencyWords(backup, trans)}
          {backup.contents.some(({ damaged }) => damaged) && (
            <>
              {' '}
              {trans.__(
                'What cannot be opened is in it as bare files, compared byte for byte.'
              )}
            </>
          )}
        </p>
        {backup.contents.length > 0 && (
          <DataItems
            items={backup.contents}
            label={trans.__('What is in the backup of %1', moment)}
            trans={trans}
          />
        )}
        <p>
          {trans.__('The file:')} <code>{backup.path}</code>
        </p>
        {Object.keys(backup.versions).length > 0 && (
          <p>
            {trans.__('Made with:')}{' '}
            {Object.entries(backup.versions)
              .map(([program, version]) => `${program} ${version}`)
              .join(', ')}
          </p>
        )}
      </details>
    </li>
  );
}
