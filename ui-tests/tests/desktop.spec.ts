import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import type { BrowserContext } from '@playwright/test';

import { type Colour, DAISYWORLD, Desktop } from '../pages/desktop';
import { expectAccessible } from '../support/accessible';
import { DESKTOPS } from '../support/desktops';
import { displays, processes, remains } from '../support/displays';
import { expect, test } from '../support/test';

test.use({ serverOptions: DESKTOPS });

const NAME = 'daisyworld';

/** How green the sun is: the brighter, the more. */
function brightness([, green]: Colour): number {
  return green;
}

test.describe('A Java program in a tab', () => {
  test.beforeEach(async ({ context, server }) => {
    // Others on this server may have used it.
    await server.settle(NAME, 'stopped');
    await fs.rm(path.join(server.root, 'daisyworld_runs'), {
      recursive: true,
      force: true
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  });

  test('is one click away, and takes mouse, keys and text', async ({
    context,
    page,
    server,
    vce
  }) => {
    const desktop = new Desktop(vce.app(NAME));
    const sun = (): Promise<number> =>
      desktop.pixel(...DAISYWORLD.sun).then(brightness);

    await test.step('its tile opens it, alone and over the whole tab', async () => {
      await vce.tile(NAME).click();
      await desktop.expectShown();
      await expect.poll(sun).toBe(102);
      await expect
        .poll(async () => {
          const box = await desktop.canvas.boundingBox();
          const [width, height] = await desktop.size();
          return [
            width - Math.round(box?.width ?? 0),
            height - Math.round(box?.height ?? 0)
          ];
        })
        .toEqual([0, 0]);
      await vce.expectAccessible([`#vce-app-${NAME} iframe`, 'body']);
    });

    await test.step('its slider follows the mouse', async () => {
      await desktop.drag(page, [...DAISYWORLD.thumb], [...DAISYWORLD.slider]);
      await desktop.expectThumb(DAISYWORLD.slider[0]);
      await expect.poll(sun).toBeGreaterThan(180);
      await expect(desktop.status).toContainText('Keys go to Daisyworld');
    });

    await test.step('and the keys', async () => {
      const before = await sun();
      for (let press = 0; press < 10; press += 1) {
        await page.keyboard.press('ArrowLeft');
      }
      await expect.poll(sun).toBeLessThan(before - 20);
    });

    await test.step('keys of JupyterLab stay the program’s', async () => {
      await page.keyboard.press('Control+b');
      await page.keyboard.press('Control+s');
      const saved = path.join(server.root, 'daisyworld_runs', 'daisyworld.csv');
      await expect
        .poll(() => fs.readFile(saved, 'utf8').catch(() => ''))
        .toMatch(/^time,brightness/);
    });

    await test.step('what it saved is in the file browser, which was not hidden', async () => {
      const browser = page.locator('#filebrowser');
      await expect(browser).toBeVisible();
      await browser.getByTitle('daisyworld_runs').first().dblclick();
      await expect(browser.getByText('daisyworld.csv')).toBeVisible();
    });

    await test.step('accents and pasted text arrive, copied text comes back', async () => {
      await desktop.click(...DAISYWORLD.notes);
      await expect(desktop.keys).toBeFocused();
      // Java is told of a click and its consequence, the focus, one after the other.
      await desktop.expectCaret();
      await page.keyboard.press('Control+a');
      await page.keyboard.type('AZERTY zqsd; £5 ');
      await compose(context, '^', 'ê');
      await page.evaluate(() => navigator.clipboard.writeText(' – 長江\n'));
      await page.keyboard.press('Control+v');
      await page.keyboard.press('Control+a');
      await page.keyboard.press('Control+c');
      await expect(desktop.sharedText).toHaveValue(
        'AZERTY zqsd; £5 ê – 長江\n'
      );
      await expect
        .poll(() => page.evaluate(() => navigator.clipboard.readText()))
        .toBe('AZERTY zqsd; £5 ê – 長江\n');
    });

    await test.step('where the browser forbids it, by way of a panel', async () => {
      await desktop.button('Clipboard').click();
      await desktop.sharedText.fill('by hand');
      await desktop.button('Give to Daisyworld').click();
      await expect(desktop.status).toContainText(
        'is in the clipboard of Daisyworld'
      );
      await vce.expectAccessible([`#vce-app-${NAME} iframe`, 'body']);
      await desktop.button('Close').click();
    });

    await test.step('the keyboard finds its way out', async () => {
      await desktop.click(...DAISYWORLD.notes);
      await expect(desktop.keys).toBeFocused();
      await page.keyboard.press('Control+F6');
      await expect(desktop.button('Clipboard')).toBeFocused();
      await expect(desktop.status).toContainText('Keys stay on this page');
    });

    await test.step('who only looks changes nothing', async () => {
      const before = await sun();
      await desktop.button('Look only').click();
      await desktop.drag(page, [...DAISYWORLD.slider], [...DAISYWORLD.thumb]);
      await expect(desktop.status).toContainText('You only look');
      expect(await sun()).toBe(before);
      await desktop.button('Look only').click();
    });

    await test.step('it has the size of its tab, whatever that is', async () => {
      await page.setViewportSize({ width: 1100, height: 700 });
      await expect
        .poll(async () => {
          const box = await desktop.canvas.boundingBox();
          const [width, height] = await desktop.size();
          return [
            width - Math.round(box?.width ?? 0),
            height - Math.round(box?.height ?? 0),
            width < 1000
          ];
        })
        .toEqual([0, 0, true]);
    });
  });
});

test('Desktops outlive a cut connection, explain a crash, and leave nothing', async ({
  context,
  page,
  server,
  vce
}) => {
  await context.addInitScript(() => {
    const { WebSocket: Real } = window;
    const open: WebSocket[] = [];
    let dead = false;
    Object.assign(window, {
      cutSockets: (forGood: boolean) => {
        dead = forGood;
        open.splice(0).forEach(socket => {
          socket.close();
        });
      },
      WebSocket: new Proxy(Real, {
        construct(made, address: ConstructorParameters<typeof Real>) {
          const socket = new made(...address);
          open.push(socket);
          if (dead) {
            Object.defineProperty(socket, 'onmessage', {
              set: () => undefined
            });
          }
          return socket;
        }
      })
    });
  });
  const desktop = new Desktop(vce.app(NAME));
  await server.settle(NAME, 'ready');
  await vce.openPanel();
  await vce.button(NAME, 'open').click();
  await desktop.expectShown();

  await test.step('two at once, and two views of one agree on its size', async () => {
    const opened = await context.newPage();
    await opened.setViewportSize({ width: 700, height: 500 });
    await opened.goto(`${server.url}vce/app/${NAME}/`);
    const other = new Desktop(opened);
    await other.expectShown();
    // The one used last leads.
    await expect.poll(async () => (await other.size())[0]).toBe(700);
    const led = await other.size();
    await expect.poll(() => desktop.size()).toEqual(led);
    await page.bringToFront();
    await desktop.click(...DAISYWORLD.sun);
    await expect
      .poll(async () => (await desktop.size())[0])
      .toBeGreaterThan(700);
    await expect
      .poll(async () => JSON.stringify(await other.size()))
      .toBe(JSON.stringify(await desktop.size()));

    await opened.goto(`${server.url}vce/app/clock/`);
    await other.expectShown();
    await expectAccessible(opened);
    await opened.close();
  });

  await test.step('it connects again by itself', async () => {
    await desktop.cut();
    await expect(desktop.status).toHaveText(/The connection was lost/);
    await desktop.mend();
    await desktop.expectShown();
  });

  await test.step('a crash is told, and it comes back', async () => {
    const { pid } = await server.service(NAME);
    process.kill(pid ?? 0, 'SIGKILL');
    await expect(desktop.status).toContainText('ended unexpectedly');
    await desktop.expectShown();
    expect((await server.service(NAME)).pid).not.toBe(pid);
  });

  await test.step('closed from within it stays closed, until it is started again', async () => {
    await desktop.click(...DAISYWORLD.sun);
    await desktop.button('Keys').click();
    await desktop.button('Alt+F4').click();
    await expect(desktop.problem).toContainText(
      'Daisyworld has been closed from within'
    );
    await vce.expectAccessible([`#vce-app-${NAME} iframe`, 'body']);
    expect((await server.service(NAME)).state).toBe('stopped');
    await desktop.button('Start Daisyworld again').click();
    await desktop.expectShown();
  });

  await test.step('stopped, they leave no process, socket or lock', async () => {
    await expect.poll(() => displays(server.home)).toHaveLength(2);
    const used = await displays(server.home);
    await vce.openPanel();
    for (const name of [NAME, 'clock']) {
      await vce.button(name, 'stop').click();
      await vce.expectRow(name, 'stopped');
    }
    await expect(desktop.problem).toContainText('Daisyworld is not running');
    expect(await remains(used)).toEqual([]);
    expect(await processes(/Xtigervnc|Xvnc|openbox/, server.home)).toEqual([]);
  });
});

test('A stop waits for what the program asks, and loses nothing unless that is confirmed', async ({
  page,
  server,
  vce
}) => {
  const name = 'editor';
  const desktop = new Desktop(vce.app(name));
  const dialog = page.getByRole('dialog');
  await server.settle(name, 'ready');
  await vce.openPanel();
  await vce.expectRow(name, 'ready');

  await vce.button(name, 'stop').click();
  await expect(vce.row(name)).toContainText('Answer it in its tab');
  // Whoever pressed Stop by keyboard is led to the question.
  await expect(vce.button(name, 'open')).toBeFocused();
  await vce.expectAccessible('#vce-panel');
  await page.keyboard.press('Enter');
  await desktop.expectShown();

  await vce.button(name, 'insist').click();
  await expect(dialog).toContainText('Everything you have not saved in Editor');
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await vce.expectAccessible('.jp-Dialog');
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();

  await vce.button(name, 'keep').click();
  await expect(vce.button(name, 'stop')).toBeFocused();
  await vce.expectRow(name, 'ready');

  await vce.button(name, 'stop').click();
  await expect(desktop.status).toContainText('Answer its question here');
  await vce.button(name, 'insist').click();
  await dialog.getByRole('button', { name: 'Stop without saving' }).click();
  await vce.expectRow(name, 'stopped');
  await expect(desktop.problem).toContainText('Editor is not running');
});

/** Type a letter with its accent, as a keyboard with dead keys does it. */
async function compose(
  context: BrowserContext,
  accent: string,
  letter: string
): Promise<void> {
  // The page itself: JupyterLab's test kit hands out one in disguise.
  const [page] = context.pages();
  if (!page) {
    throw new Error('There is no page to type into.');
  }
  const browser = await context.newCDPSession(page);
  await browser.send('Input.imeSetComposition', {
    text: accent,
    selectionStart: 1,
    selectionEnd: 1
  });
  await browser.send('Input.insertText', { text: letter });
  await browser.detach();
}
