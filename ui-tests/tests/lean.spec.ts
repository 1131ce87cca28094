import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';

import { REPOSITORY } from '../support/jupyter';
import { expect, test } from '../support/test';

/** What the page may load of us (bytes, compressed), the viewer of desktop programs not counted. */
const BUNDLE = 150_000;

interface IActivation {
  readonly id: string;
  readonly milliseconds: number;
  readonly waits: boolean;
}

declare global {
  interface Window {
    vceActivations?: IActivation[];
  }
}

/** Note how long each of our plugins takes, by standing between JupyterLab and our bundle. */
function watchActivations(): void {
  interface Plugin {
    id: string;
    activate: (...parts: unknown[]) => unknown;
  }
  interface Bundle {
    get: Get;
    init: unknown;
  }
  type Get = (module: string) => Promise<() => { default: Plugin[] }>;
  const seen: IActivation[] = (window.vceActivations = []);
  const watched = (get: Get): Get => {
    return async module => {
      const make = await get(module);
      return () => {
        const made = make();
        if (Array.isArray(made.default)) {
          for (const plugin of made.default) {
            const activate = plugin.activate;
            plugin.activate = (...parts) => {
              const begun = performance.now();
              const result = activate(...parts);
              const milliseconds = performance.now() - begun;
              const waits = result instanceof Promise;
              seen.push({ id: plugin.id, milliseconds, waits });
              return result;
            };
          }
        }
        return made;
      };
    };
  };
  Object.assign(window, {
    _JUPYTERLAB: new Proxy<Record<string, Bundle>>(
      {},
      {
        set: (bundles, name: string, bundle: Bundle) => {
          bundles[name] =
            name === 'ou-vce-ext'
              ? { get: watched(bundle.get), init: bundle.init }
              : bundle;
          return true;
        }
      }
    )
  });
}

test('the page of JupyterLab is hardly slower for us', async ({
  context,
  server
}, testInfo) => {
  const page = await context.newPage();
  const loaded: string[] = [];
  page.on('response', answer => {
    const { pathname } = new URL(answer.url());
    if (pathname.includes('/extensions/ou-vce-ext/static/')) {
      loaded.push(path.basename(pathname));
    }
  });
  await page.addInitScript(watchActivations);
  // A workspace of its own: whoever came before may have left the usual one without a launcher.
  await page.goto(`${server.url}lab/workspaces/lean`);
  await expect(
    page.locator('.jp-LauncherCard[data-vce-state]')
  ).not.toHaveCount(0);

  const folder = path.join(REPOSITORY, 'ou_vce_ext', 'labextension', 'static');
  const files = await Promise.all(
    [...new Set(loaded)].map(name => fs.readFile(path.join(folder, name)))
  );
  const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(files).not.toHaveLength(0);
  expect(bytes).toBeLessThan(BUNDLE);

  const activations = await page.evaluate(() => window.vceActivations ?? []);
  expect(activations.length).toBeGreaterThan(10);
  expect(activations.filter(({ waits }) => waits)).toEqual([]);
  const total = activations.reduce((sum, one) => sum + one.milliseconds, 0);
  testInfo.annotations.push({
    type: 'figures',
    description: `${bytes} bytes loaded, ${total.toFixed(1)} ms to activate`
  });
  console.log(`${bytes} bytes loaded, ${total.toFixed(1)} ms to activate`);
});
