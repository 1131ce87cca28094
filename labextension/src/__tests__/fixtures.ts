import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import type {
  IModelChange,
  IOperation,
  IProblem,
  IRecovery,
  IService,
  IServiceError,
  IStateChange,
  IVCEModel,
  ServiceState,
  ShownState
} from '../tokens';

export const BASE = 'http://localhost:8888/user/jo/';

export const trans = nullTranslator.load('ou_vce_ext');

/** OpenRefine at rest, but for what is said otherwise. */
export function service(changes: Partial<IService> = {}): IService {
  return {
    name: 'openrefine',
    title: 'OpenRefine',
    kind: 'openrefine',
    icon: null,
    state: 'stopped',
    since: '2026-01-01T10:00:00.000Z',
    ready_seconds: null,
    pid: null,
    url: '/user/jo/vce/app/openrefine/',
    open: 'tab',
    connection: null,
    memory_bytes: null,
    memory_measure: null,
    cpu_percent: null,
    open_files: null,
    restarts: 0,
    retry_at: null,
    autostart: false,
    requires: [],
    operation: null,
    error: null,
    capabilities: ['open', 'start', 'stop', 'logs'],
    data_dir: null,
    last_backup: null,
    recovered_from: null,
    ...changes
  };
}

/** What is known of a service that was killed and is back. */
export function recovery(changes: Partial<IRecovery> = {}): IRecovery {
  const error = serviceError({ message: 'It was killed.' });
  return { at: '2026-01-01T10:00:00.000Z', error, ...changes };
}

/** A database that runs, but for what is said otherwise. */
export function database(changes: Partial<IService> = {}): IService {
  return service({
    name: 'postgres',
    title: 'PostgreSQL',
    kind: 'postgres',
    state: 'ready',
    url: null,
    capabilities: ['start', 'stop', 'logs'],
    memory_bytes: 41_300_000,
    memory_measure: 'pss',
    connection: {
      host: '127.0.0.1',
      port: 43211,
      socket: '/run/vce/postgres',
      user: 'student',
      database: 'student',
      password_file: '/home/jo/pgpass',
      env: ['PGHOST', 'PGPORT']
    },
    ...changes
  });
}

export function serviceError(
  changes: Partial<IServiceError> = {}
): IServiceError {
  return {
    code: 'command-failed',
    message: 'It ended at once.',
    hint: 'Look at the log.',
    exit_code: 1,
    signal: null,
    log_tail: ['first', '<b>last</b>'],
    ...changes
  };
}

export function operation(changes: Partial<IOperation> = {}): IOperation {
  return {
    id: 'op1',
    kind: 'start',
    service: 'openrefine',
    state: 'running',
    progress: null,
    message: 'Starting OpenRefine: loading Java',
    started: '2026-01-01T10:00:00.000Z',
    finished: null,
    error: null,
    result: null,
    waiting_for: null,
    ...changes
  };
}

/** What a fake server says to one request. */
export interface IReply {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

/** A server that answers what a test tells it to, and remembers what it was asked. */
export class FakeServer {
  /** `GET api/services` and so on; a missing one is a connection that is refused. */
  readonly replies = new Map<string, IReply | (() => Promise<Response>)>();
  readonly asked: string[] = [];
  readonly bodies: string[] = [];
  readonly languages: (string | null)[] = [];

  readonly settings = ServerConnection.makeSettings({
    baseUrl: BASE,
    appUrl: '',
    wsUrl: BASE.replace('http', 'ws'),
    token: '',
    init: { credentials: 'same-origin' },
    fetch: (input: RequestInfo | URL) => this._answer(input as Request),
    Request,
    Headers
  });

  services(...services: IService[]): void {
    this.replies.set('GET api/services', { json: { services } });
    if (!this.replies.has('GET api/operations?state=running')) {
      this.operations();
    }
  }

  operations(...operations: IOperation[]): void {
    this.replies.set('GET api/operations?state=running', {
      json: { operations }
    });
  }

  /** How often something was asked for. */
  count(what: string): number {
    return this.asked.filter(asked => asked === what).length;
  }

  private async _answer(request: Request): Promise<Response> {
    const what = `${request.method} ${request.url.replace(`${BASE}vce/`, '')}`;
    this.asked.push(what);
    this.languages.push(request.headers.get('Accept-Language'));
    this.bodies.push(await request.text());
    const reply = this.replies.get(what);
    if (!reply) {
      throw new TypeError('Failed to fetch');
    }
    if (typeof reply === 'function') {
      return reply();
    }
    const { status = 200, json, text, headers } = reply;
    return new Response(text ?? JSON.stringify(json), {
      status,
      headers: { 'Content-Type': 'application/json', ...headers }
    });
  }
}

/** A model that says what a test tells it to. */
export class FakeModel implements IVCEModel {
  readonly changed: Signal<IVCEModel, IModelChange> = new Signal<
    IVCEModel,
    IModelChange
  >(this);
  readonly operationEnded: Signal<IVCEModel, IOperation> = new Signal<
    IVCEModel,
    IOperation
  >(this);
  readonly isDisposed = false;
  readonly orders: string[] = [];
  loaded = true;
  connected = true;
  problem: IProblem | null = null;
  services: IService[];
  operations: IOperation[] = [];
  now = Date.parse('2026-01-01T10:02:30.000Z');
  refusal: Error | null = null;

  constructor(...services: IService[]) {
    this.services = services;
  }

  dispose(): void {
    Signal.clearData(this);
  }

  service(name: string): IService | undefined {
    return this.services.find(one => one.name === name);
  }

  stateOf(name: string): ShownState {
    return (this.connected && this.service(name)?.state) || 'unknown';
  }

  operation(name: string): IOperation | undefined {
    return this.operations.find(one => one.service === name);
  }

  serverNow(): number {
    return this.now;
  }

  refresh(): Promise<void> {
    this.orders.push('refresh');
    return Promise.resolve();
  }

  start = (name: string): Promise<IOperation> => this._order('start', name);
  stop = (name: string, how?: object): Promise<IOperation> =>
    this._order(how ? 'force the stop of' : 'stop', name);
  restart = (name: string, how?: object): Promise<IOperation> =>
    this._order(how ? 'force the restart of' : 'restart', name);

  cancel = (id: string): Promise<IOperation> => this._order('cancel', id);

  follow(order: Promise<IOperation>): Promise<IOperation> {
    return order;
  }

  hint(): void {
    this.orders.push('hint');
  }

  setInterval(interval: number): void {
    this.orders.push(`interval ${interval}`);
  }

  report(): Promise<string> {
    return this.refusal
      ? Promise.reject(this.refusal)
      : Promise.resolve('OpenRefine: ready');
  }

  logs(): Promise<string> {
    return Promise.resolve('a line');
  }

  /** Put services into new states and tell whoever listens. */
  become(states: Record<string, ServiceState | Partial<IService>>): void {
    const changes: IStateChange[] = [];
    this.services = this.services.map(old => {
      const to = states[old.name];
      if (!to) {
        return old;
      }
      const now = { ...old, ...(typeof to === 'string' ? { state: to } : to) };
      if (now.state !== old.state) {
        changes.push({ service: now, from: old.state, to: now.state });
      }
      return now;
    });
    this.changed.emit({ services: false, connected: false, states: changes });
  }

  /** Lose the server, or find it again. */
  lose(problem: IProblem | null): void {
    this.connected = problem === null;
    this.problem = problem;
    this.changed.emit({ services: false, connected: true, states: [] });
  }

  private _order(verb: string, name: string): Promise<IOperation> {
    this.orders.push(`${verb} ${name}`);
    return this.refusal
      ? Promise.reject(this.refusal)
      : Promise.resolve(operation({ kind: verb, service: name }));
  }
}
