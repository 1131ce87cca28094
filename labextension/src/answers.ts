/** What a service is doing, as the server says. */
export type ServiceState =
  | 'unavailable'
  | 'stopped'
  | 'starting'
  | 'ready'
  | 'unresponsive'
  | 'stopping'
  | 'backoff'
  | 'failed';

/** What a kind of service can do at all, whatever its state. */
export type Capability =
  'open' | 'start' | 'stop' | 'reset' | 'backup' | 'restore' | 'logs';

/** How far an operation is. */
export type OperationState = 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What happened, and what to do about it. Both are plain text, never markup. */
export interface IProblem {
  /** A slug, such as `port-in-use`. */
  readonly code: string;
  /** What happened and what is safe; empty where only the code is known. */
  readonly message: string;
  /** What to do about it; empty where there is nothing to do. */
  readonly hint: string;
}

/** Why a service or an operation is not what somebody wanted it to be. */
export interface IServiceError extends IProblem {
  readonly exit_code: number | null;
  /** Such as `SIGKILL`. */
  readonly signal: string | null;
  /** The last lines it wrote, oldest first. */
  readonly log_tail: readonly string[];
}

/** That a service ended when nobody had asked for it, and was started again by itself. */
export interface IRecovery {
  /** When it ended. */
  readonly at: string;
  readonly error: IServiceError;
}

/** How a program on the server's machine reaches a database. It holds no secret. */
export interface IConnection {
  readonly host: string | null;
  readonly port: number | null;
  readonly socket: string | null;
  readonly user: string | null;
  readonly database: string | null;
  readonly password_file: string | null;
  /** Names of the variables that kernels and terminals find set. */
  readonly env: readonly string[];
}

/** The newest backup of a service. */
export interface IBackupSummary {
  readonly id: string;
  readonly created: string;
  readonly verified: 'unverified' | 'verified' | 'failed';
  /** Who wanted it; an upload holds what somebody else had. */
  readonly reason: 'manual' | 'safety' | 'scheduled' | 'upload';
}

/** One service, as the REST API shows it. Times are ISO 8601, sizes bytes, durations seconds. */
export interface IService {
  /** `[a-z][a-z0-9-]{0,30}` */
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  /** The path of its picture on this server, or null. */
  readonly icon: string | null;
  readonly state: ServiceState;
  /** When it came into this state. */
  readonly since: string;
  /** How long its last start took. */
  readonly ready_seconds: number | null;
  readonly pid: number | null;
  /** The app's path, base_url included, with a slash at its end; null where there is no app. */
  readonly url: string | null;
  /** Where the app opens: a tab of JupyterLab, or one of the browser. */
  readonly open: 'tab' | 'browser';
  readonly connection: IConnection | null;
  readonly memory_bytes: number | null;
  /** Whether shared pages are counted once (`pss`), or for each process (`rss`). */
  readonly memory_measure: 'pss' | 'rss' | null;
  readonly cpu_percent: number | null;
  readonly open_files: number | null;
  readonly restarts: number;
  /** When it will be started again; null except in `backoff`. */
  readonly retry_at: string | null;
  readonly autostart: boolean;
  readonly requires: readonly string[];
  /** The id of the operation that runs on it. */
  readonly operation: string | null;
  readonly error: IServiceError | null;
  readonly capabilities: readonly Capability[];
  readonly data_dir: string | null;
  readonly last_backup: IBackupSummary | null;
  /** Null unless this run of it follows an unexpected end. */
  readonly recovered_from: IRecovery | null;
}

/** One piece of work that somebody asked for. */
export interface IOperation {
  readonly id: string;
  /** `start`, `stop`, `restart` and later others. */
  readonly kind: string;
  readonly service: string | null;
  readonly state: OperationState;
  /** 0 to 1, or null where nobody can say. */
  readonly progress: number | null;
  /** What is happening, in words. */
  readonly message: string;
  readonly started: string;
  readonly finished: string | null;
  readonly error: IServiceError | null;
  readonly result: unknown;
  /** `answer`: until a person has answered what the service asks on its own page. */
  readonly waiting_for: 'answer' | null;
}
