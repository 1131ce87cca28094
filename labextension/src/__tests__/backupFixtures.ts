import { Signal } from '@lumino/signaling';
import { DisposableDelegate } from '@lumino/disposable';

import type {
  IBackup,
  IDataItem,
  IResetPreview,
  IUndoes,
  IVCEBackups
} from '../backupTokens';
import type { IOperation, IProblem, IService } from '../tokens';
import { database, operation } from './fixtures';

/** A PostgreSQL that runs and whose data can be worked on. */
export function postgres(changes: Partial<IService> = {}): IService {
  return database({
    capabilities: ['start', 'stop', 'logs', 'backup', 'restore', 'reset'],
    ...changes
  });
}

export function item(changes: Partial<IDataItem> = {}): IDataItem {
  return {
    key: 'tm351',
    service: 'postgres',
    kind: 'database',
    name: 'tm351',
    within: null,
    count: null,
    bytes: 31_000_000,
    changed: null,
    damaged: false,
    ...changes
  };
}

/** A proven backup of PostgreSQL with one database and the roles. */
export function backup(changes: Partial<IBackup> = {}): IBackup {
  return {
    id: 'postgres-20260101T100000Z',
    service: 'postgres',
    created: '2026-01-01T10:00:00.000Z',
    bytes: 6_123_520,
    sha256: '0'.repeat(64),
    verified: 'verified',
    consistency: 'per-database',
    reason: 'manual',
    pinned: false,
    path: 'backups/postgres-backup/postgres-20260101T100000Z.tar',
    versions: { PostgreSQL: '15.14' },
    contents: [item(), item({ key: 'roles', kind: 'roles', name: 'Roles' })],
    ...changes
  };
}

export function preview(changes: Partial<IResetPreview> = {}): IResetPreview {
  return {
    service: 'postgres',
    goes: [
      item(),
      item({
        key: 'tm351/public/visit',
        kind: 'table',
        name: 'visit',
        within: 'tm351',
        count: 12_345,
        changed: '2026-01-01T09:00:00.000Z'
      })
    ],
    goes_bytes: 31_000_000,
    stays: ['Your backups'],
    becomes: 'Empty, as on the first day.',
    safety_copy_bytes: 6_000_000,
    free_bytes: 9_000_000_000,
    ...changes
  };
}

/** Backups that say what a test tells them to, and remember what was asked. */
export class FakeBackups implements IVCEBackups {
  readonly changed: Signal<IVCEBackups, void> = new Signal<IVCEBackups, void>(
    this
  );
  readonly isDisposed = false;
  readonly orders: string[] = [];
  loaded = true;
  problem: IProblem | null = null;
  backups: IBackup[];
  undone: Record<string, IUndoes> = {};
  failed: IOperation | undefined;
  told = preview();
  refusal: Error | null = null;

  constructor(...backups: IBackup[]) {
    this.backups = backups;
  }

  dispose(): void {
    Signal.clearData(this);
  }

  find(id: string): IBackup | undefined {
    return this.backups.find(one => one.id === id);
  }

  undoes(id: string): IUndoes | undefined {
    return this.undone[id];
  }

  failure(): IOperation | undefined {
    return this.failed;
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  watch() {
    return new DisposableDelegate(() => undefined);
  }

  backUp = (service: string) => this._order(`backup ${service}`);
  backUpEverything = (folders: readonly string[]) =>
    this._order(`everything ${folders.join()}`);
  verify = (id: string) => this._order(`verify ${id}`);
  restore = (id: string, wish: object, without = false) =>
    this._order(
      `restore ${id} ${JSON.stringify(wish)}${without ? ' without' : ''}`
    );
  reset = (service: string, without = false) =>
    this._order(`reset ${service}${without ? ' without' : ''}`);

  preview(): Promise<IResetPreview> {
    return Promise.resolve(this.told);
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    await this._order(`${pinned ? 'pin' : 'unpin'} ${id}`);
  }

  async remove(id: string): Promise<void> {
    await this._order(`remove ${id}`);
    this.backups = this.backups.filter(one => one.id !== id);
  }

  upload(): Promise<IBackup> {
    return Promise.resolve(backup({ reason: 'upload' }));
  }

  downloadUrl(id: string): string {
    return `/user/jo/vce/api/backups/${id}/download`;
  }

  private _order(order: string): Promise<IOperation> {
    this.orders.push(order);
    return this.refusal
      ? Promise.reject(this.refusal)
      : Promise.resolve(operation({ kind: 'backup', service: 'postgres' }));
  }
}
