import { expectAccessible } from '../support/accessible';
import { expect, test } from '../support/test';

test.beforeEach(async ({ server }) => {
  await server.settle('maps', 'stopped');
  await server.settle('genie', 'stopped');
  await server.settle('fickle', 'stopped');
  // Looked at for longer than a start may take.
  await server.hold('genie');
});

test('an address that is typed in starts the app and opens it', async ({
  context,
  server
}) => {
  const page = await context.newPage();
  const answer = await page.goto(`${server.url}vce/app/genie/?sort=name#x`);
  expect(answer?.status()).toBe(503);
  await expect(
    page.getByRole('heading', { name: 'Genie is starting' })
  ).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await expect(page.getByText(/^\d+ s so far$/)).toBeVisible();
  await expect(page.getByRole('button')).toBeHidden();
  await expectAccessible(page);

  await server.letGo('genie');
  await expect(
    page.getByRole('heading', { name: 'Genie climate model' })
  ).toBeVisible();
  await expect(page).toHaveURL(`${server.url}vce/app/genie/?sort=name#x`);
});

test('a link from elsewhere starts nothing by itself', async ({
  context,
  server
}) => {
  const page = await context.newPage();
  const target = `${server.url}vce/app/genie/`;
  await page.goto(`data:text/html,<a href="${target}">Look here</a>`);
  await page.getByRole('link', { name: 'Look here' }).click();
  const start = page.getByRole('button', { name: 'Start Genie' });
  await expect(start).toBeVisible();
  await expect(
    page.getByRole('heading', { name: 'Genie is not running' })
  ).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeHidden();
  await expectAccessible(page);

  await test.step('but whoever reads it may', async () => {
    await start.focus();
    await page.keyboard.press('Enter');
    await expect(
      page.getByRole('heading', { name: 'Genie is starting' })
    ).toBeFocused();
    await server.letGo('genie');
    await expect(
      page.getByRole('heading', { name: 'Genie climate model' })
    ).toBeVisible();
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`an app that fails says why, on a phone in the ${colorScheme}`, async ({
    context,
    server
  }) => {
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(`${server.url}vce/app/fickle/`);
    await expect(
      page.getByRole('heading', { name: 'Fickle could not start' })
    ).toBeVisible();
    await expect(page.getByRole('alert')).not.toBeEmpty();
    await page.getByText('The last lines of its log', { exact: true }).click();
    await expect(page.getByRole('region', { name: 'Log' })).toContainText(
      'no such colour'
    );
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    const over = await page.evaluate(() => {
      const { clientWidth, scrollWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(over).toBeLessThanOrEqual(0);
    await expectAccessible(page);

    await server.hold('fickle');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(
      page.getByRole('heading', { name: 'Fickle is starting' })
    ).toBeVisible();
    await server.letGo('fickle');
    await expect(
      page.getByRole('heading', { name: 'Fickle could not start' })
    ).toBeVisible();
  });
}

test('without JavaScript the page says what to do', async ({
  browser,
  server,
  storageState
}) => {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    ...(storageState ? { storageState } : {})
  });
  const page = await context.newPage();
  await page.goto(`${server.url}vce/app/genie/`);
  await expect(page.locator('noscript p')).toBeVisible();
  await expect(page.getByRole('button')).toBeHidden();
  await context.close();
});
