import type { IBackup, IDataItem, IRestoreWish } from './backupTokens';
import type { IService } from './tokens';

/** Kinds of services into which something can be put under another name. */
const BESIDE: ReadonlySet<string> = new Set([
  'postgres',
  'mongo',
  'openrefine'
]);

/** What a person has chosen so far in the dialog that asks how to restore. */
export interface IRestoreChoice {
  readonly how: 'replace' | 'beside';
  /** Keys of what is to be replaced. */
  readonly items: ReadonlySet<string>;
  /** Key of what is to be put beside. */
  readonly item: string;
  readonly name: string;
}

/** What stands for itself in a backup: databases, projects; not their tables. */
export function wholes(backup: IBackup): IDataItem[] {
  return backup.contents.filter(({ within }) => within === null);
}

/** The services a backup is about, as far as they are here. */
export function concernedBy(
  backup: IBackup,
  services: readonly IService[]
): IService[] {
  const names = new Set(
    backup.service === null
      ? backup.contents.map(({ service }) => service)
      : [backup.service]
  );
  return services.filter(({ name }) => names.has(name));
}

/** What of it can go under another name. */
export function nameable(
  backup: IBackup,
  services: readonly IService[]
): IDataItem[] {
  const able = new Set(
    services.filter(({ kind }) => BESIDE.has(kind)).map(({ name }) => name)
  );
  return wholes(backup).filter(
    ({ kind, service, damaged }) =>
      (kind === 'database' || kind === 'project') &&
      !damaged &&
      able.has(service ?? backup.service ?? '')
  );
}

/** Whether the data that are there can be replaced: not where others run a service. */
export function replaceable(services: readonly IService[]): boolean {
  return (
    services.length > 0 &&
    services.every(({ capabilities }) => capabilities.includes('reset'))
  );
}

/** The first choice: what others made goes beside, what was made here takes its old place. */
export function firstChoice(
  backup: IBackup,
  services: readonly IService[],
  taken: readonly string[]
): IRestoreChoice {
  const item = nameable(backup, services)[0];
  const beside =
    item !== undefined &&
    (!replaceable(services) || backup.reason === 'upload');
  return {
    how: beside ? 'beside' : 'replace',
    items: new Set(wholes(backup).map(({ key }) => key)),
    item: item?.key ?? '',
    name: item ? freeName(item, taken) : ''
  };
}

/** A name like an item's that is not taken, such as `tm351_2`. */
export function freeName(item: IDataItem, taken: readonly string[]): string {
  const project = item.kind === 'project';
  const stem = item.name.replace(project ? / \(\d+\)$/ : /_\d+$/, '');
  for (let number = 2; ; number += 1) {
    const name = project ? `${stem} (${number})` : `${stem}_${number}`;
    if (!taken.includes(name)) {
      return name;
    }
  }
}

/** What to ask of the server; null while the choice is none. */
export function wishOf(
  choice: IRestoreChoice,
  backup: IBackup
): IRestoreWish | null {
  if (choice.how === 'beside') {
    const name = choice.name.trim();
    const only = backup.service !== null && wholes(backup).length === 1;
    return name && choice.item
      ? { as: name, items: only ? null : [choice.item] }
      : null;
  }
  const all = wholes(backup);
  const chosen = all.filter(({ key }) => choice.items.has(key));
  if (all.length > 0 && chosen.length === 0) {
    return null;
  }
  return {
    as: null,
    items: chosen.length === all.length ? null : chosen.map(({ key }) => key)
  };
}
