import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import { DAISYWORLD } from '../pages/desktop';
import { DESKTOPS } from '../support/desktops';
import { keysOf } from '../support/rfb';
import { expect, test } from '../support/test';
import { type IView, look } from '../support/views';

test.use({ serverOptions: DESKTOPS });

/** Of French and its neighbours; none is on an American keyboard. */
const LETTERS = 'éèêëàâçîôûÿœÉÀÇ«»…ñáíóúßäöüåøæ';

test('French, with its keyboard and its accents, is understood', async ({
  browser,
  server
}) => {
  // Fresh, with nothing in its notes and nothing saved.
  await server.settle('daisyworld', 'stopped');
  await fs.rm(path.join(server.root, 'daisyworld_runs'), {
    recursive: true,
    force: true
  });
  const french = { locale: 'fr-FR' };
  await look(
    browser,
    server,
    french,
    async ({ desktop, hands, page, sent }) => {
      await expect(page.locator('html')).toHaveAttribute('lang', 'fr-FR');
      await expect(desktop.status).toContainText(
        'Les touches vont à Daisyworld'
      );
      await expect(desktop.button('Presse-papiers')).toBeVisible();
      await desktop.click(...DAISYWORLD.notes);
      // Java is told of a click and its consequence, the focus, one after the other.
      await desktop.expectCaret();
      const press = async (key: string, code: string): Promise<void> => {
        const text = key.length === 1 ? { text: key } : {};
        await hands.send('Input.dispatchKeyEvent', {
          type: 'keyDown',
          key,
          code,
          ...text
        });
        await hands.send('Input.dispatchKeyEvent', {
          type: 'keyUp',
          key,
          code
        });
      };
      // Where these letters are on a French keyboard; English ones have q, 2, ; and others there.
      for (const [key, code] of [
        ['a', 'KeyQ'],
        ['z', 'KeyW'],
        ['é', 'Digit2'],
        ['m', 'Semicolon'],
        ['ù', 'Quote'],
        ['€', 'KeyE'],
        [' ', 'Space']
      ] as const) {
        await press(key, code);
      }
      for (const [accent, letter, code] of [
        ['^', 'ê', 'KeyE'],
        ['¨', 'ï', 'KeyI']
      ] as const) {
        await press('Dead', 'BracketLeft');
        await hands.send('Input.imeSetComposition', {
          text: accent,
          selectionStart: 1,
          selectionEnd: 1
        });
        await press('Process', code);
        await hands.send('Input.insertText', { text: letter });
      }
      for (const letter of LETTERS) {
        await press(letter, 'KeyE');
      }
      // The last letter has been sent; until then keys still belong to the one before.
      await expect.poll(() => keysOf(sent).at(-1)).toBe('e6');
      await page.keyboard.press('Control+s');
      const notes = path.join(server.root, 'daisyworld_runs', 'daisyworld.txt');
      await expect
        .poll(() => fs.readFile(notes, 'utf8').catch(() => ''))
        .toBe(`azémù€ êï${LETTERS}`);
    }
  );
});

test('a Mac has Cmd where others have Ctrl', async ({ browser, server }) => {
  const mac = ({ hands }: IView): Promise<unknown> =>
    hands.send('Emulation.setUserAgentOverride', {
      userAgent:
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      platform: 'MacIntel'
    });
  const cmd = async ({ desktop, page, sent }: IView): Promise<void> => {
    await desktop.click(...DAISYWORLD.notes);
    await desktop.expectCaret();
    await page.keyboard.press('Meta+a');
    await page.keyboard.type('copied by Cmd');
    await page.keyboard.press('Meta+a');
    await page.keyboard.press('Meta+c');
    await expect(desktop.sharedText).toHaveValue('copied by Cmd');
    expect(keysOf(sent)).toContain('ffe3');
    await page.keyboard.press('Control+F6');
    await expect(desktop.button('Clipboard')).toBeFocused();
  };
  // Fresh, with nothing in its notes.
  await server.settle('daisyworld', 'stopped');
  await look(browser, server, {}, cmd, mac);
});
