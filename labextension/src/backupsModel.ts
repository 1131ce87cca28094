import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { BackupsApi } from './backupsApi';
import {
  DATA_KINDS,
  type IBackup,
  type IResetPreview,
  type IRestoreWish,
  type IUndoes,
  type IVCEBackups
} from './backupTokens';
import { same } from './compare';
import type { IUndoMemory } from './remembered';
import { VCEError } from './request';
import type { IOperation, IProblem, IVCEModel } from './tokens';

/** How often to look (ms) while somebody watches: a file may be put there by hand. */
const INTERVAL = 15_000;

/** Knows the backups, and looks again when work on data has ended. */
export class BackupsModel implements IVCEBackups {
  constructor(
    private readonly _api: BackupsApi,
    private readonly _services: IVCEModel,
    private readonly _memory: IUndoMemory | null = null
  ) {
    this._poll = new Poll({
      name: 'ou-vce-ext:backups',
      auto: false,
      factory: () => this._update(),
      frequency: { interval: INTERVAL, backoff: false, max: INTERVAL },
      standby: () => document.hidden || this._watchers === 0
    });
    _services.operationEnded.connect(this._onEnded, this);
  }

  get changed(): ISignal<IVCEBackups, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  get loaded(): boolean {
    return this._loaded;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  get backups(): readonly IBackup[] {
    return this._backups;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._services.operationEnded.disconnect(this._onEnded, this);
      this._poll.dispose();
      Signal.clearData(this);
    }
  }

  find(id: string): IBackup | undefined {
    return this._backups.find(backup => backup.id === id);
  }

  undoes(id: string): IUndoes | undefined {
    return this._undoes[id];
  }

  failure(service: string | null): IOperation | undefined {
    const last = this._operations.find(
      one => one.service === service && DATA_KINDS.includes(one.kind)
    );
    return last?.state === 'failed' ? last : undefined;
  }

  async refresh(): Promise<void> {
    // Not by the poll: that one rests while nobody watches.
    await this._update();
  }

  watch(): IDisposable {
    this._watchers += 1;
    void this._poll.start();
    void this.refresh();
    return new DisposableDelegate(() => {
      this._watchers -= 1;
    });
  }

  async backUp(service: string): Promise<IOperation> {
    return this._services.follow(this._api.backUp(service));
  }

  async backUpEverything(folders: readonly string[]): Promise<IOperation> {
    return this._services.follow(this._api.backUpEverything(folders));
  }

  async verify(id: string): Promise<IOperation> {
    return this._services.follow(this._api.verify(id));
  }

  async restore(
    id: string,
    wish: IRestoreWish,
    withoutSafetyCopy = false
  ): Promise<IOperation> {
    return this._services.follow(
      this._api.restore(id, wish, withoutSafetyCopy)
    );
  }

  async preview(service: string): Promise<IResetPreview> {
    return this._api.preview(service);
  }

  async reset(service: string, withoutSafetyCopy = false): Promise<IOperation> {
    return this._services.follow(this._api.reset(service, withoutSafetyCopy));
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    await this._api.pin(id, pinned);
    await this.refresh();
  }

  async remove(id: string): Promise<void> {
    await this._api.remove(id);
    await this.refresh();
    void this._services.refresh();
  }

  async upload(
    service: string,
    file: File,
    told: (part: number) => void,
    cancelled: AbortSignal
  ): Promise<IBackup> {
    const backup = await this._api.upload(service, file, told, cancelled);
    await this.refresh();
    void this._services.refresh();
    return backup;
  }

  downloadUrl(id: string): string {
    return this._api.downloadUrl(id);
  }

  /** Ask once. Never rejects: what was known stays, and why no more is. */
  private async _update(): Promise<void> {
    const turn = ++this._turn;
    let problem: IProblem | null = null;
    let backups = this._backups;
    let operations = this._operations;
    try {
      [backups, operations] = await Promise.all([
        this._api.list(),
        this._api.operations()
      ]);
    } catch (reason) {
      problem =
        reason instanceof VCEError ? reason : new VCEError('unexpected');
    }
    // A refresh may have overtaken this answer.
    if (turn < this._turn || this.isDisposed) {
      return;
    }
    const first = !this._loaded && problem === null;
    const differs =
      first ||
      problem?.code !== this._problem?.code ||
      !same(backups, this._backups) ||
      !same(operations, this._operations);
    this._backups = backups;
    this._operations = operations;
    this._problem = problem;
    this._loaded ||= problem === null;
    if (problem === null) {
      this._remember();
    }
    if (differs) {
      this._changed.emit();
    }
  }

  /** What the server tells of operations ends when it does; what a copy undoes should not. */
  private _remember(): void {
    const kept = this._memory?.load() ?? this._undoes;
    const undoes = Object.fromEntries(
      this._backups.flatMap(({ id }): [string, IUndoes][] => {
        const known = undoneBy(id, this._operations) ?? kept[id];
        return known ? [[id, known]] : [];
      })
    );
    if (this._memory && !same(undoes, kept)) {
      this._memory.save(undoes);
    }
    this._undoes = undoes;
  }

  private _onEnded(_: IVCEModel, { kind }: IOperation): void {
    if (DATA_KINDS.includes(kind)) {
      void this.refresh();
    }
  }

  private readonly _poll: Poll;
  private readonly _changed = new Signal<IVCEBackups, void>(this);
  private _backups: readonly IBackup[] = [];
  private _operations: readonly IOperation[] = [];
  private _undoes: Readonly<Record<string, IUndoes>> = {};
  private _loaded = false;
  private _problem: IProblem | null = null;
  private _watchers = 0;
  private _turn = 0;
}

/** What restoring a backup would undo, as far as the operations tell. */
function undoneBy(
  id: string,
  operations: readonly IOperation[]
): IUndoes | undefined {
  const ended = operations.find(
    ({ kind, result }) =>
      (kind === 'reset' || kind === 'restore') && safetyCopy(result) === id
  );
  return (
    ended && {
      kind: ended.kind as IUndoes['kind'],
      service: ended.service,
      finished: ended.finished
    }
  );
}

/** The id of the backup that undoes what an operation has done, from its result. */
export function safetyCopy(result: unknown): string | null {
  return typeof result === 'object' &&
    result !== null &&
    'safety_copy' in result &&
    typeof result.safety_copy === 'string'
    ? result.safety_copy
    : null;
}
