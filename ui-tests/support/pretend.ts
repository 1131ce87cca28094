import type { Page, Route } from '@playwright/test';

type Facts = Record<string, unknown>;

/** A refusal of a piece of work. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const HOUR = 3_600_000;

/** So long ago (hours), as the server writes it. */
export const ago = (hours: number): string =>
  new Date(Date.now() - hours * HOUR).toISOString();

const ERROR = {
  code: 'command-failed',
  message: 'Fickle ended at once, with exit code 3.',
  hint: 'Look at the last lines of its log, mend what they name and try again.',
  exit_code: 3,
  signal: null,
  log_tail: ["settings.ini: line 3: no such colour: '#gggggg'", 'giving up']
};

/** A service as the server shows it, but for what is said otherwise. */
export function service(name: string, changes: Facts): Facts {
  return {
    name,
    kind: name,
    icon: null,
    since: ago(0.5),
    ready_seconds: 8,
    pid: null,
    url: `/vce/app/${name}/`,
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
    capabilities: [
      'open',
      'start',
      'stop',
      'logs',
      'backup',
      'restore',
      'reset'
    ],
    data_dir: null,
    last_backup: null,
    ...changes
  };
}

/** A piece of work as the server shows it, but for what is said otherwise. */
export function operation(kind: string, changes: Facts): Facts {
  return {
    id: `${kind}-${String(changes.service)}`,
    kind,
    state: 'running',
    progress: null,
    message: 'Working',
    started: ago(0.001),
    finished: null,
    error: null,
    result: null,
    ...changes
  };
}

/** What a service holds, but for what is said otherwise. */
function item(name: string, changes: Facts = {}): Facts {
  return {
    key: name,
    service: 'postgres',
    kind: 'database',
    name,
    within: null,
    count: null,
    bytes: 31_000_000,
    changed: null,
    damaged: false,
    ...changes
  };
}

function backup(id: string, hours: number, changes: Facts): Facts {
  return {
    id,
    service: 'postgres',
    created: ago(hours),
    bytes: 6_123_520,
    sha256: '0'.repeat(64),
    verified: 'verified',
    consistency: 'per-database',
    reason: 'manual',
    pinned: false,
    path: `backups/postgres-backup/${id}.tar`,
    versions: { PostgreSQL: '15.14' },
    contents: [
      item('tm351'),
      item('tm351_hospital'),
      item('roles', { kind: 'roles', name: 'Roles', bytes: null, count: 4 })
    ],
    ...changes
  };
}

/** A service in each state there is. */
export function inEveryState(): Facts[] {
  const database = {
    url: null,
    connection: {
      host: '127.0.0.1',
      port: 43211,
      socket: '/run/user/1000/vce-3f2a/postgres',
      user: 'student',
      database: 'student',
      password_file: '/home/jo/.local/share/jupyter/vce/postgres/pgpass',
      env: ['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSFILE']
    },
    capabilities: ['start', 'stop', 'logs', 'backup', 'restore', 'reset']
  };
  return [
    service('openrefine', { title: 'OpenRefine', state: 'stopped' }),
    service('postgres', {
      ...database,
      title: 'PostgreSQL',
      state: 'ready',
      memory_bytes: 41_300_000,
      last_backup: {
        id: 'proven',
        created: ago(2),
        verified: 'verified',
        reason: 'manual'
      }
    }),
    service('mongo', {
      ...database,
      title: 'MongoDB',
      state: 'unresponsive',
      error: {
        ...ERROR,
        code: 'not-answering',
        message:
          'MongoDB has not answered for 20 s. It runs, and is left alone.',
        hint: 'It may be busy: wait a moment, or restart it.',
        log_tail: []
      }
    }),
    service('genie', {
      kind: 'web',
      title: 'Genie, the climate model with quite a long name',
      state: 'starting',
      operation: 'start-genie'
    }),
    service('robots', { kind: 'desktop', title: 'Robots', state: 'stopping' }),
    service('maps', {
      kind: 'web',
      title: 'Maps',
      state: 'backoff',
      retry_at: ago(-1)
    }),
    service('fickle', {
      kind: 'web',
      title: 'Fickle',
      state: 'failed',
      error: ERROR
    }),
    service('absent', {
      kind: 'web',
      title: 'Absent',
      state: 'unavailable',
      error: {
        ...ERROR,
        code: 'program-missing',
        message: 'The program no-such-program-anywhere is not installed.',
        hint: 'Install it, or correct `command` in module.toml.',
        exit_code: null,
        log_tail: []
      }
    })
  ];
}

/** A backup in each state there is. */
export function backupsInEveryState(): Facts[] {
  return [
    backup('copy', 1, { reason: 'safety' }),
    backup('proven', 2, { pinned: true }),
    backup('unproven', 26, { verified: 'unverified', reason: 'scheduled' }),
    backup('broken', 50, { verified: 'failed' }),
    backup('catch-up-of-block-two-with-a-long-name', 60, {
      reason: 'upload',
      verified: 'unverified',
      versions: {}
    }),
    backup('old', 900, { service: 'geoserver', contents: [] }),
    backup('all', 100, {
      service: null,
      contents: [
        item('tm351'),
        item('notebooks', { kind: 'folder', service: null, count: 42 })
      ]
    })
  ];
}

/** What a reset of PostgreSQL would do. */
const PREVIEW = {
  service: 'postgres',
  goes: [
    item('tm351'),
    ...Array.from({ length: 30 }, (_, n) =>
      item(`table_of_readings_${n}`, {
        key: `t${n}`,
        kind: 'table',
        within: 'tm351',
        count: 1234 * n,
        bytes: 9000 * n,
        changed: ago(n)
      })
    )
  ],
  goes_bytes: 62_000_000,
  stays: ['Your backups', 'Your notebooks and all other files'],
  becomes: 'An empty PostgreSQL with the database student.',
  safety_copy_bytes: 6_000_000,
  free_bytes: 9_000_000_000
};

/**
 * Answers in the place of the server, so that states are there at once that otherwise take long to
 * come about. What is sent is the page's own affair, and real servers are for the other specs.
 */
export class Pretence {
  services = inEveryState();
  backups = backupsInEveryState();
  operations = [
    operation('start', {
      service: 'genie',
      message: 'Starting Genie: waiting for its page'
    })
  ];
  /** Set, it is what every order is answered with. */
  refusal: Refusal | null = null;
  /** Whether the server cannot be reached. */
  gone = false;

  constructor(private readonly page: Page) {}

  async begin(): Promise<void> {
    await this.page.route(/\/vce\/(api|app)\//, route => this.answer(route));
  }

  /** What is new is taken for what the server says from now on, at once. */
  async told(): Promise<void> {
    await this.page.evaluate(() =>
      document.dispatchEvent(new Event('visibilitychange'))
    );
  }

  private async answer(route: Route): Promise<void> {
    const { pathname, searchParams } = new URL(route.request().url());
    const path = pathname.replace(/^.*\/vce\//, '');
    const known = this.known(path, searchParams.get('state'));
    if (this.gone) {
      await route.abort();
    } else if (route.request().method() !== 'GET') {
      await this.order(route, path);
    } else if (typeof known === 'string') {
      await route.fulfill({ contentType: 'text/plain', body: known });
    } else if (known) {
      await route.fulfill({ json: known });
    } else {
      await route.continue();
    }
  }

  private known(path: string, state: string | null): Facts | string | null {
    const operations = this.operations.filter(
      one => state === null || one.state === state
    );
    switch (path) {
      case 'api/services':
        return { services: this.services };
      case 'api/operations':
        return { operations };
      case 'api/backups':
        return { backups: this.backups };
      case 'api/services/postgres/reset':
        return PREVIEW;
      case 'api/report':
        return 'PostgreSQL: ready\nFickle: failed\n'.repeat(20);
    }
    if (path.endsWith('/get-all-project-metadata')) {
      const modified = new Date().toISOString();
      return { projects: { 1: { name: 'River levels', modified } } };
    }
    if (path.endsWith('/logs')) {
      return 'a line of a log\n'.repeat(100);
    }
    const id = /^api\/operations\/(.+)$/.exec(path)?.[1];
    return this.operations.find(one => one.id === id) ?? null;
  }

  private async order(route: Route, path: string): Promise<void> {
    if (this.refusal) {
      const { status, ...json } = this.refusal;
      await route.fulfill({ status, json });
      return;
    }
    const kind = path.split('/').at(-1) ?? '';
    const done = operation(kind, {
      service: 'postgres',
      state: 'succeeded',
      message: 'PostgreSQL is as fresh as on the first day.',
      finished: ago(0),
      result: { safety_copy: 'copy' }
    });
    this.operations.push(done);
    await route.fulfill({ status: 202, json: done });
  }
}
