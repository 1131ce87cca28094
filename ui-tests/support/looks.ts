import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect } from '@playwright/test';

import { expectAccessible } from './accessible';

/** JupyterLab's own themes: those a student can choose. */
export const THEMES = [
  'JupyterLab Light',
  'JupyterLab Dark',
  'JupyterLab Dark High Contrast'
] as const;

/** The smallest that a thing to press may be (CSS pixels), by WCAG 2.2. */
const TARGET = 24;

/** Wear a theme, also while a dialog keeps the menus away. */
export async function wear(
  page: IJupyterLabPageFixture,
  theme: string
): Promise<void> {
  await page.evaluate(
    theme =>
      window.jupyterapp.commands.execute('apputils:change-theme', { theme }),
    theme
  );
  await expect(page.locator('body')).toHaveAttribute(
    'data-jp-theme-name',
    theme
  );
}

/** Expect parts of the page to be in nobody's way, whatever theme is worn, and in the system's colours. */
export async function expectAccessibleInAllLooks(
  page: IJupyterLabPageFixture,
  ...parts: string[]
): Promise<void> {
  for (const theme of THEMES) {
    await wear(page, theme);
    await expectAccessible(page, ...parts);
  }
  await page.emulateMedia({ forcedColors: 'active' });
  await expectAccessible(page, ...parts);
  await page.emulateMedia({ forcedColors: 'none' });
  await wear(page, THEMES[0]);
}

/** Expect all that can be pressed within a part to be large enough to be hit. */
export async function expectTargets(
  page: IJupyterLabPageFixture,
  part: string
): Promise<void> {
  const small = await page.locator(part).evaluateAll((nodes, least) => {
    const pressed =
      'button, a[href], summary, select, label, input[type="text"]';
    return nodes
      .flatMap(node => [...node.querySelectorAll<HTMLElement>(pressed)])
      .map(node => ({ node, box: node.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0)
      .filter(({ box }) => box.width < least || box.height < least)
      .map(({ node, box }) => `${node.outerHTML} ${box.width}x${box.height}`);
  }, TARGET);
  expect(small).toEqual([]);
}

/** Expect a part to lose nothing at twice the size: no part of it lies beyond its side. */
export async function expectNothingLost(
  page: IJupyterLabPageFixture,
  part: string
): Promise<void> {
  const size = page.viewportSize() ?? { width: 1280, height: 800 };
  await page.setViewportSize({
    width: size.width / 2,
    height: size.height / 2
  });
  // JupyterLab lays itself out anew when the window has told it so.
  await page.waitForFunction(width => innerWidth === width, size.width / 2);
  const beyond = page.locator(part);
  const found = (): Promise<string[]> =>
    beyond.evaluateAll(nodes =>
      nodes.flatMap(node => {
        const within = node.getBoundingClientRect();
        return [...node.querySelectorAll<HTMLElement>('button, a, p, h2, h3')]
          .map(one => ({ one, box: one.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0)
          .filter(
            ({ box }) =>
              box.right > Math.min(within.right, innerWidth) + 1 ||
              box.left < Math.max(within.left, 0) - 1
          )
          .map(({ one }) => one.outerHTML);
      })
    );
  await expect.poll(found).toEqual([]);
  await page.setViewportSize(size);
}
