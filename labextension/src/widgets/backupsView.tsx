import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BackupAction, IBackup, IVCEBackups } from '../backupTokens';
import { serviceIcon, vceIcon } from '../icons';
import type { IService, IVCEModel } from '../tokens';
import { problemWords } from '../words';
import { BackupEntry } from './backupEntry';
import { once } from './doubleClicks';
import { useChanges, useTicking } from './hooks';
import { Progress } from './progress';

/** What the list of backups needs to know and to do. */
export interface IBackupsViewProps {
  readonly model: IVCEModel;
  readonly backups: IVCEBackups;
  readonly trans: TranslationBundle;
  readonly allowed: (
    action: BackupAction,
    backup: IBackup
  ) => boolean | undefined;
  /** Resolves when the person has answered what was asked. */
  readonly run: (action: BackupAction, backup: IBackup) => Promise<void>;
  readonly allowedTo: (
    action: 'back-up' | 'upload',
    service: IService
  ) => boolean;
  readonly backUp: (service: IService) => void;
  readonly upload: (service: IService) => void;
  readonly everything: () => void;
}

interface IGroup {
  /** Null for what holds everything. */
  readonly name: string | null;
  readonly title: string;
  readonly service: IService | undefined;
  readonly backups: readonly IBackup[];
}

/** The backups, a group for each service, newest first. */
export function BackupsView(props: IBackupsViewProps): React.JSX.Element {
  const { model, backups, trans } = props;
  useChanges(model);
  useChanges(backups);
  useTicking(30_000);
  const problem = model.problem ?? backups.problem;
  const groups = groupsOf(model, backups, trans);
  return (
    <>
      <div className="jp-vce-backups-head">
        <h2>{trans.__('Backups')}</h2>
        <button
          type="button"
          className="jp-vce-button jp-mod-quiet"
          data-vce-action="back-up-everything"
          onClick={once(props.everything)}
        >
          {trans.__('Back up everything…')}
        </button>
      </div>
      <p className="jp-vce-backups-intro">
        {trans.__(
          'Each backup is one file that you can carry away, in the folder “backups”. A proven one has been restored on trial.'
        )}
      </p>
      {problem && (
        <p className="jp-vce-card-problem" role="alert">
          {problemWords(problem, trans).message}
        </p>
      )}
      {!backups.loaded && !problem && (
        <p className="jp-vce-empty">{trans.__('Looking for backups…')}</p>
      )}
      {backups.loaded &&
        groups.map(group => (
          <Group key={group.name ?? ''} group={group} {...props} />
        ))}
      {backups.loaded && groups.length === 0 && (
        <p className="jp-vce-empty">
          {trans.__('Nothing in this environment can be backed up from here.')}
        </p>
      )}
    </>
  );
}

function Group(
  props: IBackupsViewProps & { readonly group: IGroup }
): React.JSX.Element {
  const { group, model, backups, trans } = props;
  const { service, title } = group;
  const heading = React.useRef<HTMLHeadingElement>(null);
  const Icon = service ? serviceIcon(service).react : vceIcon.react;
  const id = `jp-vce-backups-of-${group.name ?? ''}`;
  const titleOf = (name: string): string => model.service(name)?.title ?? name;
  const button = (
    action: 'back-up' | 'upload',
    words: string,
    label: string,
    run: (service: IService) => void
  ): React.JSX.Element | null => {
    const idle = !service || !props.allowedTo(action, service);
    return service ? (
      <button
        type="button"
        className="jp-vce-button jp-mod-quiet"
        data-vce-action={action}
        aria-label={label}
        aria-disabled={idle}
        onClick={event => {
          if (!idle && event.detail < 2) {
            run(service);
          }
        }}
      >
        {words}
      </button>
    ) : null;
  };
  return (
    <section
      className="jp-vce-backups-group"
      aria-labelledby={id}
      data-vce-backups-of={group.name ?? ''}
    >
      <div className="jp-vce-backups-title">
        <Icon className="jp-vce-group-icon" tag="span" aria-hidden="true" />
        <h3 id={id} ref={heading} tabIndex={-1}>
          {title}
        </h3>
        {service?.capabilities.includes('backup') &&
          button(
            'back-up',
            trans.__('Back up'),
            trans.__('Back up %1', title),
            props.backUp
          )}
        {service?.capabilities.includes('restore') &&
          button(
            'upload',
            trans.__('Upload a file…'),
            trans.__('Upload a file for %1…', title),
            props.upload
          )}
      </div>
      {service && <Progress model={model} service={service} trans={trans} />}
      {group.backups.length === 0 ? (
        <p className="jp-vce-empty">
          {trans.__(
            'No backup of %1 yet. “Back up” makes one while you go on working. Files that others made, such as a dump of the module team, can be uploaded.',
            title
          )}
        </p>
      ) : (
        <ul aria-labelledby={id}>
          {group.backups.map(backup => (
            <BackupEntry
              key={backup.id}
              backup={backup}
              backups={backups}
              titleOf={titleOf}
              allowed={props.allowed}
              run={(action, one) => {
                void props.run(action, one).then(() => {
                  // What had the focus may have gone with the backup.
                  if (!backups.find(one.id)) {
                    heading.current?.focus();
                  }
                });
              }}
              now={model.serverNow()}
              trans={trans}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

/** The services in their order, those no longer declared, and at last what holds everything. */
function groupsOf(
  model: IVCEModel,
  { backups }: IVCEBackups,
  trans: TranslationBundle
): IGroup[] {
  const of = (name: string | null): IBackup[] =>
    backups.filter(({ service }) => service === name);
  const declared = model.services.filter(({ name, state, capabilities }) => {
    const can =
      capabilities.includes('backup') || capabilities.includes('restore');
    return (can && state !== 'unavailable') || of(name).length > 0;
  });
  const known = new Set(declared.map(({ name }) => name));
  const others = new Set(
    backups.flatMap(({ service }) =>
      service !== null && !known.has(service) ? [service] : []
    )
  );
  const all = of(null);
  return [
    ...declared.map(service => ({
      name: service.name,
      title: service.title,
      service,
      backups: of(service.name)
    })),
    ...[...others].map(name => ({
      name,
      title: trans.__('%1 (no longer here)', name),
      service: undefined,
      backups: of(name)
    })),
    ...(all.length > 0
      ? [
          {
            name: null,
            title: trans.__('Everything'),
            service: undefined,
            backups: all
          }
        ]
      : [])
  ];
}
