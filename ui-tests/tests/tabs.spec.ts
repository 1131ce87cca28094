import { expect, test } from '../support/test';

/** How Galata reloads a page without waiting for what it knows of it. */
const AS_IT_IS = { waitUntil: 'load', waitForIsReady: false } as const;

// What a page keeps over a reload is really kept.
test.use({ mockState: false });

test('tabs can be closed and opened again, and a log comes back', async ({
  keptLayout,
  page,
  server,
  vce
}) => {
  await server.settle('postgres', 'ready');
  await server.settle('maps', 'ready');
  await vce.openPanel();
  const tabs = page.locator('#jp-main-dock-panel .lm-TabBar-tab');
  const count = await tabs.count();
  for (const [open, id] of [
    [vce.button('maps', 'open'), 'vce-app-maps'],
    [vce.button('maps', 'logs'), 'vce-log-maps'],
    [vce.button('postgres', 'connect'), 'vce-connection-postgres'],
    [vce.row('postgres').locator('[data-vce-action="backups"]'), 'vce-backups']
  ] as const) {
    const place = page.locator(`#${id}`);
    const close = page.locator(
      `#jp-main-dock-panel .lm-TabBar-tab[data-id="${id}"] .lm-TabBar-tabCloseIcon`
    );
    await open.click();
    await expect(place).toBeVisible();
    await close.click();
    await expect(place).toHaveCount(0);
    await open.click();
    await expect(place).toBeVisible();
    await close.click();
    await expect(tabs).toHaveCount(count);
  }

  const log = page.getByRole('log', { name: 'Log of Maps' });
  await test.step('a log, after a reload, goes on', async () => {
    await vce.button('maps', 'logs').click();
    await expect
      .poll(keptLayout)
      .toMatchObject({ main: { current: 'vce-log:maps' } });
    // Galata would wait for a launcher in front, and the log is what is in front.
    await page.reload(AS_IT_IS);
    await expect(log).toBeVisible();
    await server.request('GET', 'vce/app/maps/after-the-reload');
    await expect(log).toContainText('/after-the-reload');
  });

  await test.step('or says that its service is no longer there', async () => {
    // As a server answers whose declarations no longer name it.
    await page.route(/\/vce\/api\/services(\?|$)/, async route => {
      const answer = await route.fetch();
      const { services } = (await answer.json()) as {
        services: { name: string }[];
      };
      const others = services.filter(({ name }) => name !== 'maps');
      await route.fulfill({ response: answer, json: { services: others } });
    });
    await page.route('**/vce/api/services/maps/logs*', async route => {
      await route.continue({ url: route.request().url().replace('maps', 'm') });
    });
    await page.reload(AS_IT_IS);
    await expect(page.locator('#vce-log-maps')).toContainText(
      'Maps is no longer part of this environment'
    );
    await vce.expectAccessible('#vce-log-maps');
  });
});
