import { galata } from '@jupyterlab/galata';
import type { Page } from '@playwright/test';

import { Desktop } from '../pages/desktop';
import { expectAccessible } from '../support/accessible';
import { DESKTOPS } from '../support/desktops';
import { expect, test } from '../support/test';

test.use({ serverOptions: DESKTOPS });

const NAME = 'daisyworld';

/** Stands between a page and its server, and says what a test wants. */
class Between {
  static async of(page: Page): Promise<Between> {
    const between = new Between(page);
    await page.addInitScript(() => {
      const { WebSocket: Real } = window;
      const made: WebSocket[] = [];
      Object.assign(window, {
        cutSockets: () => {
          made.splice(0).forEach(socket => {
            socket.close();
          });
        },
        WebSocket: new Proxy(Real, {
          construct(kind, address: ConstructorParameters<typeof Real>) {
            const socket = new kind(...address);
            made.push(socket);
            if (sessionStorage.getItem('open') === null) {
              Object.defineProperty(socket, 'onmessage', {
                set: () => undefined
              });
            }
            return socket;
          }
        })
      });
    });
    await page.route(`**/vce/api/services/${NAME}`, async route => {
      const { status } = between;
      await (status === 'gone'
        ? route.abort()
        : status === 'foreign'
          ? route.fulfill({ status: 403, body: '{}' })
          : status
            ? route.fulfill({ json: status })
            : route.continue());
    });
    return between;
  }

  private constructor(private readonly page: Page) {}

  /** Let new connections through; before, nothing comes back from them. */
  async open(): Promise<void> {
    await this.page.evaluate(() => {
      sessionStorage.setItem('open', 'yes');
    });
  }

  /** Break the connection for good; from now on the server says `status` of the program. */
  async break(status: object | 'gone' | 'foreign'): Promise<void> {
    this.status = status;
    await this.page.evaluate(() => {
      sessionStorage.clear();
      (window as unknown as { cutSockets(): void }).cutSockets();
      // What is told next is not to be waited for.
      dispatchEvent(new Event('online'));
    });
  }

  private status: object | 'gone' | 'foreign' | undefined;
}

test('every state of a desktop’s page is in nobody’s way, light and dark', async ({
  browser,
  server
}) => {
  await server.settle(NAME, 'ready');
  const context = await browser.newContext({
    locale: 'en-GB',
    viewport: { width: 1000, height: 700 }
  });
  const page = await context.newPage();
  const between = await Between.of(page);
  const desktop = new Desktop(page);
  const lightAndDark = async (): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
    }
  };

  await test.step('connecting', async () => {
    await page.goto(`${server.url}vce/app/${NAME}/?token=${server.token}`);
    await expect(desktop.status).toContainText('Opening the screen');
    await lightAndDark();
  });

  await test.step('connected, with keys alone', async () => {
    await between.open();
    await page.reload();
    await desktop.expectShown();
    // Whoever opens it may type at once.
    await expect(desktop.keys).toBeFocused();
    await expect(desktop.status).toContainText('Ctrl+F6 leaves it');
    await lightAndDark();
    await page.keyboard.press('Control+F6');
    await expect(desktop.button('Clipboard')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(desktop.sharedText).toBeFocused();
    await lightAndDark();
    await page.keyboard.press('Escape');
    await expect(desktop.button('Clipboard')).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(desktop.button('Esc')).toBeFocused();
    await lightAndDark();
    await page.keyboard.press('Escape');
    await expect(desktop.button('Keys')).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect(desktop.status).toContainText('You only look');
    await lightAndDark();
    await page.keyboard.press('Space');
    await expect(desktop.status).toContainText('work in Daisyworld again');
  });

  await test.step('lost, and the focus stays where it is', async () => {
    for (const [status, words] of [
      [{ state: 'ready', error: null }, 'Daisyworld still runs'],
      ['gone', 'cannot be reached'],
      ['foreign', 'logged out'],
      [{ state: 'starting', error: null }, 'is being started']
    ] as const) {
      await between.break(status);
      await expect(desktop.status).toContainText(words);
      await expect(desktop.button('Look only')).toBeFocused();
      await lightAndDark();
    }
  });

  await test.step('ended', async () => {
    await between.break({
      state: 'failed',
      error: { message: 'It has ended.', hint: 'Look into its log.' }
    });
    await expect(desktop.problem).toContainText('Look into its log.');
    await lightAndDark();
    await page.setViewportSize({ width: 360, height: 640 });
    await lightAndDark();
  });
  await context.close();
});

test.describe('In a JupyterLab that is French', () => {
  test.use({
    mockSettings: {
      ...galata.DEFAULT_SETTINGS,
      '@jupyterlab/translation-extension:plugin': { locale: 'fr_FR' }
    },
    // Galata's own looks for English words.
    waitForApplication: async ({ baseURL: _ }, use) => {
      await use(async page => {
        await page.locator('.jp-Launcher').waitFor();
      });
    }
  });

  test('a desktop’s page is, too, and one that nobody sees lets go', async ({
    page,
    server,
    vce
  }) => {
    await server.settle(NAME, 'ready');
    const closed = page.waitForEvent('websocket', {
      predicate: socket => socket.url().endsWith(`/${NAME}/screen`)
    });
    await vce.tile(NAME).click();
    const desktop = new Desktop(vce.app(NAME));
    await desktop.expectShown();
    // The browser itself is English.
    expect(await page.evaluate(() => navigator.language)).toBe('en-GB');
    await expect(desktop.status).toContainText('Ctrl+F6 en fait sortir');
    const socket = await closed;
    await page.locator('#jp-main-dock-panel .lm-TabBar-addButton').click();
    await expect(desktop.canvas).toBeHidden();
    if (!socket.isClosed()) {
      await socket.waitForEvent('close');
    }
    await vce.tabLabel(NAME).click();
    await desktop.expectShown();
  });
});
