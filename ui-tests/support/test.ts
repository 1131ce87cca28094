import { expect, test as galata } from '@jupyterlab/galata';
import type { TestInfo } from '@playwright/test';
import * as fs from 'node:fs/promises';

import { Kernel } from '../pages/kernel';
import { OpenRefine } from '../pages/openrefine';
import { VCE } from '../pages/vce';
import { JupyterServer, type ServerOptions } from './jupyter';
import { MODULE } from './module';

export { expect } from '@jupyterlab/galata';

interface Fixtures {
  /** Our own parts of JupyterLab's page. */
  vce: VCE;
  /** OpenRefine's page in its tab of JupyterLab. */
  openRefine: OpenRefine;
  /** Python of the student's. */
  kernel: Kernel;
  /** What JupyterLab has kept by now of its layout, for the next time the page is loaded. */
  keptLayout: () => Promise<Layout>;
  serverLog: undefined;
}

/** As much of it as specs look at. */
interface Layout {
  /** What is in front in the main area. */
  main?: { current?: string };
  left?: { collapsed?: boolean };
}

/** How long (ms) a page of JupyterLab may take on a slow machine. */
const PATIENCE = 60_000;

interface WorkerFixtures {
  /** What the server should be like; specs that want the same one share it. */
  serverOptions: ServerOptions;
  /** A real JupyterLab in a home of its own, stopped when the last test that wants it is done. */
  server: JupyterServer;
}

/** A test in a JupyterLab of its own, logged in by its cookie like a student's browser. */
export const test = galata.extend<Fixtures, WorkerFixtures>({
  serverOptions: [MODULE, { option: true, scope: 'worker' }],

  server: [
    async ({ serverOptions }, use) => {
      const server = await JupyterServer.start(serverOptions);
      try {
        await use(server);
      } finally {
        await server.stop();
        await server.remove();
      }
    },
    { scope: 'worker', timeout: 240_000 }
  ],

  // Galata adds the slash.
  baseURL: async ({ server }, use) => {
    await use(server.url.slice(0, -1));
  },

  storageState: async ({ playwright, server }, use) => {
    const visitor = await playwright.request.newContext();
    await visitor.get(`${server.url}lab?token=${server.token}`);
    const state = await visitor.storageState();
    await visitor.dispose();
    await use(state);
  },

  // Galata's own requests are a program's: by token. The page has its cookie, and nothing else.
  request: async ({ playwright, server }, use) => {
    const program = await playwright.request.newContext({
      baseURL: server.url,
      extraHTTPHeaders: { Authorization: `token ${server.token}` }
    });
    await use(program);
    await program.dispose();
  },

  // Files are seen and made in the root folder, as by a student.
  autoGoto: false,
  tmpPath: '',

  // The real ones: Galata's stand-ins know neither a restart nor a server that is gone.
  kernels: null,
  sessions: null,
  terminals: null,

  page: async ({ page }, use) => {
    // Galata itself gives up after 15 s.
    const waitForCondition = async (
      condition: () => Promise<boolean> | boolean,
      timeout = PATIENCE
    ): Promise<void> =>
      expect.poll(async () => condition(), { timeout }).toBe(true);
    await use(Object.assign(page, { waitForCondition }));
  },

  vce: async ({ mockState, page, server }, use, { testId }) => {
    // What is really kept is kept apart: no test finds what another has left open.
    await page.goto(
      mockState ? undefined : `${server.url}lab/workspaces/${testId}`
    );
    await use(new VCE(page));
  },

  keptLayout: async ({ server }, use, { testId }) => {
    await use(async () => {
      const answer = await server.request(
        'GET',
        `lab/api/workspaces/${testId}`
      );
      const { data } = (await answer.json()) as {
        data: { 'layout-restorer:data'?: Layout };
      };
      return data['layout-restorer:data'] ?? {};
    });
  },

  kernel: async ({ page, server, vce: _ }, use) => {
    const kernel = await Kernel.start(page);
    await use(kernel);
    await server.request('DELETE', `api/kernels/${kernel.id}`);
  },

  openRefine: async ({ vce }, use) => {
    await use(new OpenRefine(vce.app('openrefine')));
  },

  serverLog: [
    async ({ server }, use, testInfo) => {
      await use(undefined);
      await server.letGo();
      await attachLog(server, testInfo);
    },
    { auto: true }
  ]
});

/** Keep what Jupyter wrote with the report of a test that went wrong. */
async function attachLog(
  server: JupyterServer,
  testInfo: TestInfo
): Promise<void> {
  if (testInfo.status !== testInfo.expectedStatus) {
    const body = await fs.readFile(server.log);
    await testInfo.attach('jupyter.log', { body, contentType: 'text/plain' });
  }
}
