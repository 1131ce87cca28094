import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { TRANSITIONAL } from './actions';
import type { VCEApi } from './api';
import { same, servicesChanged, statesChanged } from './compare';
import { GATHER, PATIENCE, QUICK, SLOW } from './pace';
import type { IMemory } from './remembered';
import { VCEError } from './request';
import { ServerClock } from './serverClock';
import type {
  IModelChange,
  IOperation,
  IProblem,
  IService,
  IVCEModel,
  ShownState
} from './tokens';

/**
 * Keeps what is known of the services up to date by polling; a hint only makes it ask sooner.
 *
 * It asks often while an operation runs or a state is about to end, seldom otherwise, and not at
 * all while the page is hidden. One missed answer is tried again at once; after the second, what
 * was known counts as old news until the server is back.
 */
export class VCEModel implements IVCEModel {
  constructor(
    private readonly _api: VCEApi,
    private readonly _memory: IMemory | null = null
  ) {
    this._poll = new Poll({
      name: 'ou-vce-ext:services',
      factory: () => this._update(),
      frequency: { interval: SLOW, backoff: false, max: SLOW },
      standby: 'when-hidden'
    });
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  get changed(): ISignal<IVCEModel, IModelChange> {
    return this._changed;
  }

  get operationEnded(): ISignal<IVCEModel, IOperation> {
    return this._operationEnded;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  get loaded(): boolean {
    return this._loaded;
  }

  get connected(): boolean {
    return this._connected;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  get services(): readonly IService[] {
    return this._services;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    document.removeEventListener('visibilitychange', this._onVisibility);
    clearTimeout(this._hinted);
    this._poll.dispose();
    Signal.clearData(this);
  }

  service(name: string): IService | undefined {
    return this._services.find(service => service.name === name);
  }

  stateOf(name: string): ShownState {
    const state = this.service(name)?.state;
    return this._connected && state ? state : 'unknown';
  }

  get operations(): readonly IOperation[] {
    return [...this._running.values()];
  }

  operation(name: string): IOperation | undefined {
    return this.operations.find(({ service }) => service === name);
  }

  serverNow(): number {
    return this._clock.now();
  }

  async refresh(): Promise<void> {
    await this._poll.refresh();
    // Rejects only when the model is disposed of meanwhile.
    await this._poll.tick.catch(() => undefined);
  }

  hint(): void {
    this._askOperations = true;
    this._hinted ??= setTimeout(() => {
      this._hinted = undefined;
      void this.refresh();
    }, GATHER);
  }

  setInterval(interval: number): void {
    if (interval !== this._interval) {
      this._interval = interval;
      void this.refresh();
    }
  }

  async start(name: string): Promise<IOperation> {
    return this.follow(this._api.start(name));
  }

  async stop(name: string, how?: { force: boolean }): Promise<IOperation> {
    return this.follow(this._api.stop(name, how));
  }

  async restart(name: string, how?: { force: boolean }): Promise<IOperation> {
    return this.follow(this._api.restart(name, how));
  }

  async cancel(id: string): Promise<IOperation> {
    try {
      return await this._api.cancel(id);
    } finally {
      void this.refresh();
    }
  }

  /** Take up an operation as soon as the server has accepted it: the next poll may be far. */
  async follow(answer: Promise<IOperation>): Promise<IOperation> {
    try {
      const operation = await answer;
      if (operation.state === 'running') {
        this._setRunning(new Map(this._running).set(operation.id, operation));
        this._changed.emit({ services: false, connected: false, states: [] });
      } else {
        this._operationEnded.emit(operation);
      }
      return operation;
    } finally {
      void this.refresh();
    }
  }

  async logs(name: string, lines = 200): Promise<string> {
    return this._api.logs(name, lines);
  }

  async report(): Promise<string> {
    return this._api.report();
  }

  /** Ask once. Never rejects: the pace of asking again is decided here, not by the poll. */
  private async _update(): Promise<void> {
    const turn = ++this._turn;
    try {
      const { data: services, date } = await this._api.services();
      const { running, ended } = await this._follow(services);
      // A refresh may have overtaken this answer.
      if (turn > this._applied && !this.isDisposed) {
        this._applied = turn;
        this._clock.set(date);
        // Two answers may tell of the same end.
        const awaited = this._known();
        this._succeed(services, running);
        ended
          .filter(({ id }) => awaited.includes(id))
          .forEach(operation => this._operationEnded.emit(operation));
      }
    } catch (reason) {
      if (turn > this._applied && !this.isDisposed) {
        this._applied = turn;
        this._fail(
          reason instanceof VCEError ? reason : new VCEError('unexpected')
        );
      }
    }
  }

  /** What the operations named by services are doing, and how those we knew have ended. */
  private async _follow(services: readonly IService[]): Promise<{
    running: Map<string, IOperation>;
    ended: IOperation[];
  }> {
    const known = this._known();
    // One that concerns all services is named by none of them: asked for at first, and if hinted.
    const ask = this._askOperations || services.some(one => one.operation);
    if (known.length === 0 && !ask) {
      return { running: new Map(), ended: [] };
    }
    this._askOperations = false;
    const list = await this._api.operations('running');
    const running = new Map(list.map(operation => [operation.id, operation]));
    const gone = known.filter(id => !running.has(id));
    // One that the server no longer knows, after a restart of it, has no end to tell.
    const ends = await Promise.all(
      gone.map(id => this._api.operation(id).catch(() => null))
    );
    return { running, ended: ends.filter(operation => operation !== null) };
  }

  /** The operations whose end has not been told yet, those of before a reload too. */
  private _known(): string[] {
    return [
      ...new Set([...this._running.keys(), ...(this._memory?.load() ?? [])])
    ];
  }

  private _succeed(
    services: IService[],
    running: Map<string, IOperation>
  ): void {
    const change: IModelChange = {
      services: servicesChanged(this._services, services),
      connected: !this._connected,
      states: statesChanged(this._services, services)
    };
    const differs =
      change.connected ||
      !same(services, this._services) ||
      !same([...running.values()], [...this._running.values()]);
    this._services = services;
    this._setRunning(running);
    this._loaded = true;
    this._connected = true;
    this._problem = null;
    this._failures = 0;
    const busy =
      running.size > 0 || services.some(s => TRANSITIONAL.includes(s.state));
    this._setPace(busy ? QUICK : this._interval);
    if (differs) {
      this._changed.emit(change);
    }
  }

  private _fail(error: VCEError): void {
    this._failures += 1;
    this._setPace(Math.min(QUICK * 2 ** (this._failures - 1), PATIENCE));
    if (this._connected && this._failures === 1) {
      return;
    }
    const was = this._connected;
    const news = was || this._problem?.code !== error.code;
    this._connected = false;
    this._problem = error;
    this._running = new Map();
    this._askOperations = true;
    if (news) {
      this._changed.emit({ services: false, connected: was, states: [] });
    }
  }

  private _setRunning(running: ReadonlyMap<string, IOperation>): void {
    const ids = [...running.keys()];
    if (this._memory && !same(ids, this._memory.load())) {
      this._memory.save(ids);
    }
    this._running = running;
  }

  private _setPace(interval: number): void {
    this._poll.frequency = { interval, backoff: false, max: interval };
  }

  private readonly _onVisibility = (): void => {
    if (document.visibilityState === 'visible') {
      void this.refresh();
    }
  };

  private readonly _clock = new ServerClock();
  private readonly _poll: Poll;
  private readonly _changed = new Signal<IVCEModel, IModelChange>(this);
  private readonly _operationEnded = new Signal<IVCEModel, IOperation>(this);
  private _services: readonly IService[] = [];
  private _running: ReadonlyMap<string, IOperation> = new Map();
  private _interval = SLOW;
  private _hinted: ReturnType<typeof setTimeout> | undefined;
  private _askOperations = true;
  private _loaded = false;
  private _connected = false;
  private _problem: IProblem | null = null;
  private _failures = 0;
  private _turn = 0;
  private _applied = 0;
}
