import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The folder of this project's clone. */
export const REPOSITORY = path.resolve(__dirname, '..', '..');

/** How long a start or an end of Jupyter may take (ms): services save first. */
const PATIENCE = 100_000;

/** What a spec wants of its server. */
export interface ServerOptions {
  /** Begins and ends with a slash. */
  baseUrl?: string;
  /** Folders of this project's `examples/` that the module of this student uses. */
  examples?: string[];
  /** Declarations of services, by file name. */
  declarations?: Record<string, string>;
  /** Added to the environment. */
  env?: Record<string, string>;
}

/** The part of a service's description that the specs look at. */
export interface Service {
  name: string;
  state: string;
  pid: number | null;
  connection: { port: number | null } | null;
  data_dir: string | null;
}

/**
 * A real JupyterLab with a home and a root folder of its own, below the system's temporary folder.
 * It asks for its token, as a student's does.
 */
export class JupyterServer {
  /** Start one in a fresh home; returns when it answers. */
  static async start(options: ServerOptions): Promise<JupyterServer> {
    const home = await fs.mkdtemp(path.join(os.tmpdir(), 'vce-ui-'));
    // A database's own user, where there is one, has to get through.
    await fs.chmod(home, 0o711);
    for (const folder of ['work', 'tmp', 'held', '.jupyter/vce.d']) {
      await fs.mkdir(path.join(home, folder), { recursive: true });
    }
    const declarations = path.join(home, '.jupyter', 'vce.d');
    for (const name of options.examples ?? []) {
      const example = path.join(REPOSITORY, 'examples', name);
      await fs.cp(example, path.join(home, 'work', name), { recursive: true });
      await fs.cp(path.join(example, 'vce.d'), declarations, {
        recursive: true
      });
      await moveToFreePort(path.join(declarations, `${name}.toml`));
    }
    for (const [file, text] of Object.entries(options.declarations ?? {})) {
      await fs.writeFile(path.join(declarations, file), text);
    }
    return JupyterServer.startIn(home, options);
  }

  /** Start one in a home that is there already: a second Jupyter of the same student. */
  static async startIn(
    home: string,
    options: ServerOptions
  ): Promise<JupyterServer> {
    const server = new JupyterServer(home, options, await freePort());
    await server.run();
    return server;
  }

  private constructor(
    readonly home: string,
    private readonly options: ServerOptions,
    private readonly port: number
  ) {}

  /** Its address, with a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}${this.options.baseUrl ?? '/'}`;
  }

  /** The folder that JupyterLab shows. */
  get root(): string {
    return path.join(this.home, 'work');
  }

  /** What it has written, this run and those before. */
  get log(): string {
    return path.join(this.home, `jupyter-${this.port}.log`);
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Start it (again), on the same home, port and token. */
  async run(): Promise<void> {
    const log = await fs.open(this.log, 'a');
    try {
      this.process = spawn(
        'jupyter',
        [
          'lab',
          '--allow-root',
          `--config=${path.join(REPOSITORY, 'ui-tests', 'jupyter_server_config.py')}`,
          `--ServerApp.port=${this.port}`,
          `--ServerApp.base_url=${this.options.baseUrl ?? '/'}`,
          `--ServerApp.root_dir=${this.root}`,
          `--IdentityProvider.token=${this.token}`
        ],
        {
          cwd: this.root,
          env: environment(this.home, this.options.env ?? {}),
          stdio: ['ignore', log.fd, log.fd],
          // Ctrl-C in the terminal is for the test runner; it ends this the gentle way.
          detached: true
        }
      );
    } finally {
      await log.close();
    }
    await this.until(() => this.answers(), 'Jupyter has not started');
  }

  /** End it as a student's does, its services saving first. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Take everything away that it and its like have left in their home. */
  async remove(): Promise<void> {
    await fs.rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Send it a signal and wait until it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const process = this.process;
    if (!process || process.exitCode !== null || process.signalCode !== null) {
      return;
    }
    const gone = once(process, 'exit');
    process.kill(signal);
    const late = new AbortController();
    await Promise.race([
      gone,
      sleep(PATIENCE, undefined, { signal: late.signal }).then(() => {
        process.kill('SIGKILL');
        throw new Error(`Jupyter has not ended in time.\n${this.log}`);
      })
    ]);
    late.abort();
  }

  /** A request below its address, as a program with the token makes it. */
  async request(method: string, address: string): Promise<Response> {
    return fetch(new URL(address, this.url), {
      method,
      headers: { Authorization: `token ${this.token}` }
    });
  }

  async service(name: string): Promise<Service> {
    const answer = await this.request('GET', `vce/api/services/${name}`);
    return (await answer.json()) as Service;
  }

  /** See to it that a service is at rest in `state`, whatever came before. */
  async settle(name: string, state: 'ready' | 'stopped'): Promise<void> {
    await this.until(async () => {
      const { state: now } = await this.service(name);
      if (now !== state && !['starting', 'stopping'].includes(now)) {
        const verb = state === 'ready' ? 'start' : 'stop';
        await this.request('POST', `vce/api/services/${name}/${verb}`);
      }
      return now === state;
    }, `${name} has not come to be ${state}`);
  }

  /** Keep a service of the module from getting any further in its start (see support/module.ts). */
  async hold(name: string): Promise<void> {
    await fs.writeFile(path.join(this.home, 'held', name), '');
  }

  /** Let a service that is held go on; all of them, where none is named. */
  async letGo(name?: string): Promise<void> {
    const held = path.join(this.home, 'held');
    for (const each of name ? [name] : await fs.readdir(held)) {
      await fs.rm(path.join(held, each), { force: true });
    }
  }

  /** See to it that there is no backup, whatever came before. */
  async forgetBackups(): Promise<void> {
    await this.until(async () => {
      const answer = await this.request('GET', 'vce/api/backups');
      const { backups } = (await answer.json()) as {
        backups: { id: string }[];
      };
      for (const { id } of backups) {
        await this.request('DELETE', `vce/api/backups/${id}`);
      }
      return backups.length === 0;
    }, 'There are still backups');
  }

  private async answers(): Promise<boolean> {
    if (this.process?.exitCode != null || this.process?.signalCode != null) {
      throw new Error(
        `Jupyter ended at once.\n${await fs.readFile(this.log, 'utf8')}`
      );
    }
    return this.request('GET', 'vce/api/services').then(
      answer => answer.ok,
      () => false
    );
  }

  /** Nothing in a test runner's own process tells of another one's state: ask, often. */
  private async until(
    condition: () => Promise<boolean>,
    told: string
  ): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!(await condition())) {
      if (Date.now() > end) {
        throw new Error(`${told}.\n${await fs.readFile(this.log, 'utf8')}`);
      }
      await sleep(100);
    }
  }

  readonly token = randomBytes(16).toString('hex');
  private process: ChildProcess | undefined;
}

/** A TCP port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The port an example declares may be in use on the machine that runs the tests. */
async function moveToFreePort(declaration: string): Promise<void> {
  const text = await fs.readFile(declaration, 'utf8');
  const port = await freePort();
  await fs.writeFile(
    declaration,
    text.replace(/^port = \d+$/m, `port = ${port}`)
  );
}

/** The environment of this process without what would lead Jupyter out of its home. */
function environment(
  home: string,
  more: Record<string, string>
): NodeJS.ProcessEnv {
  const foreign =
    /^(JUPYTER_(CONFIG|DATA|RUNTIME)_DIR|JPY_|JUPYTERHUB_|VCE_|XDG_|PG|MONGODB_URI)/;
  return {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !foreign.test(name))
    ),
    HOME: home,
    TMPDIR: path.join(home, 'tmp'),
    ...more
  };
}
