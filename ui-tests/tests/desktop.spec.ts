import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import type { BrowserContext } from '@playwright/test';

import { type Colour, DAISYWORLD, Desktop } from '../pages/desktop';
import { expect, test } from '../support/test';

test.use({
  serverOptions: {
    examples: ['daisyworld'],
    declarations: {
      'desktop.toml': `
[services.clock]
kind = "desktop"
title = "Clock"
command = ["xclock", "-update", "1"]

[services.openrefine]
enabled = false
[services.postgres]
enabled = false
[services.mongo]
enabled = false
`
    }
  }
});

const NAME = 'daisyworld';

/** How green the sun is: the brighter, the more. */
function brightness([, green]: Colour): number {
  return green;
}

test.describe('A Java program in a tab', () => {
  test.beforeEach(async ({ context }) => {
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
      const box = await desktop.canvas.boundingBox();
      const [width, height] = await desktop.size();
      expect([width, height]).toEqual([
        Math.round(box?.width ?? 0),
        Math.round(box?.height ?? 0)
      ]);
      await vce.expectAccessible([`#vce-app-${NAME} iframe`, 'body']);
    });

    await test.step('its slider follows the mouse', async () => {
      await desktop.drag(page, [...DAISYWORLD.thumb], [...DAISYWORLD.slider]);
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
      // Java is told of a click and its consequence, the focus, one after the other.
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

/** Type a letter with its accent, as a keyboard with dead keys does it. */
async function compose(
  context: BrowserContext,
  accent: string,
  letter: string
): Promise<void> {
  // The page itself: JupyterLab's test kit hands out one in disguise.
  const [page] = context.pages();
  const browser = await context.newCDPSession(page!);
  await browser.send('Input.imeSetComposition', {
    text: accent,
    selectionStart: 1,
    selectionEnd: 1
  });
  await browser.send('Input.insertText', { text: letter });
  await browser.detach();
}
