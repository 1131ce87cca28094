import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { IOperation, IProblem } from './tokens';

/** Whether a backup was restored on trial and compared, and how that went. */
export type Proof = 'unverified' | 'verified' | 'failed';

/** One thing a service holds. `count`, `bytes` and `changed` are null where nobody knows. */
export interface IDataItem {
  /** What to name it by in a restore; to be passed back as it is. */
  readonly key: string;
  readonly service: string | null;
  readonly kind:
    | 'database'
    | 'table'
    | 'collection'
    | 'view'
    | 'project'
    | 'roles'
    | 'folder';
  readonly name: string;
  /** The database it is part of, where it is part of one. */
  readonly within: string | null;
  /** Rows, documents, files or parts. */
  readonly count: number | null;
  readonly bytes: number | null;
  readonly changed: string | null;
  /** Whether its service cannot open it: a backup has its bare files, byte for byte. */
  readonly damaged: boolean;
}

/** One file with a service's data; with everything's where `service` is null. */
export interface IBackup {
  readonly id: string;
  readonly service: string | null;
  readonly created: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly verified: Proof;
  readonly consistency:
    'snapshot' | 'per-database' | 'quiesced' | 'per-collection';
  readonly reason: 'manual' | 'safety' | 'scheduled' | 'upload';
  readonly pinned: boolean;
  /** Relative to the folder that JupyterLab shows. */
  readonly path: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly contents: readonly IDataItem[];
}

/** What a reset would do; nothing is done yet. */
export interface IResetPreview {
  readonly service: string;
  readonly goes: readonly IDataItem[];
  readonly goes_bytes: number;
  readonly stays: readonly string[];
  readonly becomes: string;
  readonly safety_copy_bytes: number | null;
  readonly free_bytes: number;
}

/** How a backup is to be restored. */
export interface IRestoreWish {
  /** The new name, to put it beside what is there; null replaces what is there. */
  readonly as: string | null;
  /** Keys of what is wanted; null for all. */
  readonly items: readonly string[] | null;
}

/** What a safety copy was taken before: restoring it undoes that. */
export interface IUndoes {
  readonly kind: 'reset' | 'restore';
  readonly service: string | null;
  readonly finished: string | null;
}

/** What can be done with one backup. */
export type BackupAction = 'restore' | 'undo' | 'verify' | 'pin' | 'delete';

/** The kinds of operations that are about data. */
export const DATA_KINDS: readonly string[] = [
  'backup',
  'verify',
  'restore',
  'reset'
];

/** The backups that are kept, and what can be done with them. Rejects with a `VCEError` only. */
export interface IVCEBackups extends IDisposable {
  /** Something that can be seen has changed. */
  readonly changed: ISignal<IVCEBackups, void>;
  /** Whether the server has told what there is. */
  readonly loaded: boolean;
  /** Why the list could not be had; null when it could. */
  readonly problem: IProblem | null;
  /** Newest first. */
  readonly backups: readonly IBackup[];
  find(id: string): IBackup | undefined;
  /** What a safety copy undoes, as far as the server remembers. */
  undoes(id: string): IUndoes | undefined;
  /** How the last work on a service's data failed; undefined where it did not. */
  failure(service: string | null): IOperation | undefined;
  refresh(): Promise<void>;
  /** Look again from time to time, until the returned is disposed of. */
  watch(): IDisposable;
  backUp(service: string): Promise<IOperation>;
  backUpEverything(folders: readonly string[]): Promise<IOperation>;
  verify(id: string): Promise<IOperation>;
  restore(
    id: string,
    wish: IRestoreWish,
    withoutSafetyCopy?: boolean
  ): Promise<IOperation>;
  preview(service: string): Promise<IResetPreview>;
  reset(service: string, withoutSafetyCopy?: boolean): Promise<IOperation>;
  pin(id: string, pinned: boolean): Promise<void>;
  remove(id: string): Promise<void>;
  /** Send a file; `told` hears the part (0..1) that is sent. */
  upload(
    service: string,
    file: File,
    told: (part: number) => void,
    cancelled: AbortSignal
  ): Promise<IBackup>;
  /** Where the browser gets the file. */
  downloadUrl(id: string): string;
}

export const IVCEBackups = new Token<IVCEBackups>(
  'ou-vce-ext:IVCEBackups',
  'The backups of the services, and what can be done with them.'
);
