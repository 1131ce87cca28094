import type { Page } from '@playwright/test';

import { expectAccessible } from '../support/accessible';
import { expect, test } from '../support/test';

/** Expect no part of the page to stand out at its side. */
async function expectToFit(page: Page): Promise<void> {
  const over = await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  expect(over).toBeLessThanOrEqual(0);
}

test('a tutor finds out how everything is', async ({
  context,
  server,
  vce
}) => {
  await server.settle('postgres', 'ready');
  await vce.openPanel();
  const opening = context.waitForEvent('page');
  await vce.panel.getByRole('button', { name: 'Status page' }).click();
  const page = await opening;
  // In the language of the page that led here.
  await expect(page).toHaveURL(`${server.url}vce/status?lang=en`);
  const row = page.locator('tr[data-vce-service="postgres"]');
  await expect(row).toHaveAttribute('data-vce-state', 'ready');
  await expect(row).toContainText('PostgreSQL');

  await test.step('on a desk and on a phone', async () => {
    await expectToFit(page);
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectToFit(page);
    await expectAccessible(page);
  });

  await test.step('in the dark, and in the colours of their system', async () => {
    for (const looks of [
      { colorScheme: 'dark', forcedColors: 'none' },
      { colorScheme: 'dark', forcedColors: 'active' },
      { colorScheme: 'light', forcedColors: 'active' }
    ] as const) {
      await page.emulateMedia(looks);
      await expectAccessible(page);
    }
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
  });

  await test.step('and takes it along, with nothing private in it', async () => {
    const report = await page.request.get(`${server.url}vce/api/report`);
    const text = await report.text();
    expect(text).toContain('PostgreSQL: ');
    expect(text).toContain('- postgres (PostgreSQL): ready for ');
    expect(text).not.toContain(server.token);
    const saving = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Diagnostic bundle' }).click();
    expect((await saving).suggestedFilename()).toMatch(/^vce-report-.*\.zip$/);
  });

  await test.step('and sees a change without reloading', async () => {
    await page.evaluate(() => Object.assign(window, { marked: true }));
    await server.settle('postgres', 'stopped');
    await expect(row).toHaveAttribute('data-vce-state', 'stopped');
    await server.settle('postgres', 'ready');
    await expect(row).toHaveAttribute('data-vce-state', 'ready');
    expect(await page.evaluate(() => 'marked' in window)).toBe(true);
  });
});

test('the status page needs no JavaScript', async ({
  browser,
  server,
  storageState
}) => {
  // What it says when it starts is among the last lines of its log.
  await server.settle('postgres', 'stopped');
  await server.settle('postgres', 'ready');
  const context = await browser.newContext({
    javaScriptEnabled: false,
    ...(storageState ? { storageState } : {})
  });
  const page = await context.newPage();
  await page.goto(`${server.url}vce/status`);
  await expect(page.getByRole('heading', { level: 1 })).not.toBeEmpty();
  for (const title of ['OpenRefine', 'PostgreSQL', 'MongoDB', 'Genie']) {
    await expect(
      page.getByRole('row').filter({ hasText: title })
    ).toBeVisible();
  }
  await page.getByRole('link', { name: 'Log of PostgreSQL' }).click();
  await expect(page.locator('body')).toContainText(
    'database system is ready to accept connections'
  );
  await context.close();
});
