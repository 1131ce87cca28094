import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBackup, IDataItem, IUndoes, Proof } from './backupTokens';
import type { IBackupSummary } from './tokens';
import { durationWords, figure, manner } from './words';

/** A size on disk. */
export function sizeWords(bytes: number, trans: TranslationBundle): string {
  if (bytes < 1000) {
    return trans._n('%1 byte', '%1 bytes', bytes);
  }
  if (bytes < 1_000_000) {
    return trans.__('%1 kB', Math.round(bytes / 1000));
  }
  const megabytes = bytes / 1_000_000;
  if (megabytes < 9.95) {
    return trans.__('%1 MB', figure(megabytes));
  }
  return megabytes < 999.5
    ? trans.__('%1 MB', Math.round(megabytes))
    : trans.__('%1 GB', figure(megabytes / 1000, 1));
}

/** When something was, as short as people say it. */
export function agoWords(
  moment: string,
  now: number,
  trans: TranslationBundle
): string {
  const past = now - Date.parse(moment);
  return past < 60_000
    ? trans.__('just now')
    : trans.__('%1 ago', durationWords(past, trans));
}

/** A date and time in full, in the manner of the page's language. */
export function momentWords(moment: string): string {
  return new Date(moment).toLocaleString(manner(), {
    dateStyle: 'medium',
    timeStyle: 'short'
  });
}

/** Whether a backup was tried, in two or three words. */
export function proofWords(proof: Proof, trans: TranslationBundle): string {
  switch (proof) {
    case 'verified':
      return trans.__('Proven');
    case 'unverified':
      return trans.__('Not proven yet');
    case 'failed':
      return trans.__('Does not restore');
  }
}

/** The same, with what it means. */
export function proofMeaning(proof: Proof, trans: TranslationBundle): string {
  switch (proof) {
    case 'verified':
      return trans.__(
        'It was restored on trial, and everything in it was there.'
      );
    case 'unverified':
      return trans.__(
        'Nobody has tried yet whether it restores. “Prove” tries it, and leaves your data alone.'
      );
    case 'failed':
      return trans.__(
        'It was restored on trial, and that went wrong. Do not rely on it: make a new backup.'
      );
  }
}

/** A service's newest backup and its proof, as its place in the panel says it. */
export function newestWords(
  newest: IBackupSummary | null,
  now: number,
  trans: TranslationBundle
): string {
  if (!newest) {
    return trans.__('No backup yet');
  }
  const ago = agoWords(newest.created, now, trans);
  switch (newest.verified) {
    case 'verified':
      return trans.__('Backed up %1, proven', ago);
    case 'unverified':
      return trans.__('Backed up %1, not proven yet', ago);
    case 'failed':
      return trans.__('Backed up %1, but it does not restore', ago);
  }
}

/** Why a backup is there. */
export function reasonWords(
  backup: IBackup,
  undoes: IUndoes | undefined,
  titleOf: (service: string) => string,
  trans: TranslationBundle
): string {
  switch (backup.reason) {
    case 'manual':
      return trans.__('You made it');
    case 'scheduled':
      return trans.__('Made by itself, as declared');
    case 'upload':
      return trans.__('A file from elsewhere');
    case 'safety': {
      const name = undoes?.service ?? backup.service;
      if (!undoes || !name) {
        return trans.__('Safety copy: undoes the reset or restore after it');
      }
      const title = titleOf(name);
      return undoes.kind === 'reset'
        ? trans.__('Safety copy: undoes the reset of %1', title)
        : trans.__('Safety copy: undoes the restore of %1', title);
    }
  }
}

/** What is of one moment in a backup. */
export function consistencyWords(
  backup: IBackup,
  trans: TranslationBundle
): string {
  switch (backup.consistency) {
    case 'snapshot':
      return trans.__('Everything in it is of one moment.');
    case 'quiesced':
      return trans.__('Nothing changed while it was made.');
    case 'per-database':
      return trans.__('Each database in it is of one moment.');
    case 'per-collection':
      return trans.__('Each collection in it is of one moment.');
  }
}

/** What sort of thing an item is. */
export function itemKindWords(
  kind: IDataItem['kind'],
  trans: TranslationBundle
): string {
  switch (kind) {
    case 'database':
      return trans.__('Database');
    case 'table':
      return trans.__('Table');
    case 'collection':
      return trans.__('Collection');
    case 'view':
      return trans.__('View');
    case 'project':
      return trans.__('Project');
    case 'roles':
      return trans.__('Users');
    case 'folder':
      return trans.__('Folder');
  }
}

/** What a thing is called: by its own name or, where a server has but one of it, by ours. */
export function itemName(
  { kind, name }: IDataItem,
  trans: TranslationBundle
): string {
  return kind === 'roles' ? trans.__('Users and their rights') : name;
}

/** How much of it there is; empty where nobody has counted. */
export function countWords(item: IDataItem, trans: TranslationBundle): string {
  const { count, damaged } = item;
  if (damaged) {
    return trans.__('Cannot be opened: kept as its files');
  }
  if (count === null) {
    return '';
  }
  const told = count.toLocaleString(manner());
  switch (item.kind) {
    case 'table':
    case 'project':
      return trans._n('%2 row', '%2 rows', count, told);
    case 'collection':
    case 'view':
      return trans._n('%2 document', '%2 documents', count, told);
    case 'folder':
      return trans._n('%2 file', '%2 files', count, told);
    case 'roles':
      return trans._n('%2 user', '%2 users', count, told);
    case 'database':
      // What is in it is listed, or not known.
      return '';
  }
}

/** What is to go or to come, in one line: `3 tables, 2 databases`. */
export function contentsWords(
  items: readonly IDataItem[],
  trans: TranslationBundle
): string {
  const count = (kind: IDataItem['kind']): number =>
    items.filter(item => item.kind === kind).length;
  const told: [number, (n: number) => string][] = [
    [count('database'), n => trans._n('%1 database', '%1 databases', n)],
    [count('table'), n => trans._n('%1 table', '%1 tables', n)],
    [count('collection'), n => trans._n('%1 collection', '%1 collections', n)],
    [count('view'), n => trans._n('%1 view', '%1 views', n)],
    [count('project'), n => trans._n('%1 project', '%1 projects', n)],
    [
      items.filter(({ damaged }) => damaged).length,
      n => trans._n('%1 of them damaged', '%1 of them damaged', n)
    ],
    [count('folder'), n => trans._n('%1 folder', '%1 folders', n)]
  ];
  return told
    .filter(([n]) => n > 0)
    .map(([n, words]) => words(n))
    .join(', ');
}

/** The file's own name. */
export function fileName(backup: IBackup): string {
  return backup.path.split('/').pop() ?? backup.path;
}
