import { expect, test } from '../support/test';

test('the panel lists the services, each with its state in words', async ({
  page,
  server,
  vce
}) => {
  await server.settle('openrefine', 'stopped');
  await server.settle('genie', 'stopped');
  await server.settle('postgres', 'ready');
  await server.settle('mongo', 'ready');
  await vce.openPanel();
  await expect(vce.panel.getByRole('listitem')).toHaveCount(8);
  await vce.expectRow('openrefine', 'stopped');
  await vce.expectRow('postgres', 'ready');
  await vce.expectRow('mongo', 'ready');
  await vce.expectRow('genie', 'stopped');
  await expect(vce.row('postgres')).toContainText(/Running.*min\d+ MB/);

  await test.step('what is not installed says what to do', async () => {
    await vce.expectRow('absent', 'unavailable');
    await expect(vce.row('absent')).toContainText('no-such-program-anywhere');
    await expect(vce.row('absent')).toContainText('Install it');
  });

  await test.step('by light and by dark', async () => {
    await vce.expectAccessible('#vce-panel');
    await page.theme.setDarkTheme();
    await vce.expectAccessible('#vce-panel');
    await page.theme.setTheme('JupyterLab Dark High Contrast');
    await vce.expectAccessible('#vce-panel');
  });

  await test.step('in the colours of the system, at twice the size', async () => {
    await page.emulateMedia({ forcedColors: 'active' });
    await page.setViewportSize({ width: 640, height: 400 });
    await vce.expectAccessible('#vce-panel');
    const over = await vce.panel.evaluate(
      panel => panel.scrollWidth - panel.clientWidth
    );
    expect(over).toBeLessThanOrEqual(0);
  });
});

test('a service is stopped and started by keyboard alone', async ({
  page,
  server,
  vce
}) => {
  await server.settle('postgres', 'ready');
  const { keyboard } = page;
  const stop = vce.button('postgres', 'stop');
  const start = vce.button('postgres', 'start');
  const told = await vce.followAnnouncements();

  await test.step('the palette leads to the panel', async () => {
    await keyboard.press('Control+Shift+C');
    await expect(page.locator('.lm-CommandPalette-input')).toBeFocused();
    await keyboard.type('Show the services');
    await keyboard.press('Enter');
    await expect(vce.panel).toBeVisible();
  });

  await test.step('and Tab to its buttons', async () => {
    await vce.panel.getByRole('button', { name: 'Status page' }).focus();
    await expect(async () => {
      await keyboard.press('Tab');
      await expect(stop).toBeFocused({ timeout: 1 });
    }).toPass({ intervals: [0] });
    await expect(stop).toHaveAccessibleName('Stop PostgreSQL');
  });

  await test.step('the focus goes from one to the other', async () => {
    await keyboard.press('Enter');
    await vce.expectRow('postgres', 'stopped');
    await expect(start).toBeFocused();
    await expect.poll(told).toContain('PostgreSQL has stopped.');
    await keyboard.press('Enter');
    await vce.expectRow('postgres', 'ready');
    await expect(stop).toBeFocused();
    await expect.poll(told).toContain('PostgreSQL is running.');
  });
});

test('a start can be followed, and cancelled', async ({ server, vce }) => {
  await server.settle('endless', 'stopped');
  await vce.openPanel();
  await vce.button('endless', 'start').click();
  await vce.expectRow('endless', 'starting');
  const row = vce.row('endless');
  await expect(row.getByRole('progressbar')).toBeVisible();
  await expect(row).toContainText(/Starting Endless.*\d+ s/);
  await vce.expectAccessible('#vce-panel');
  const cancel = row.getByRole('button', {
    name: 'Cancel the start of Endless'
  });
  await cancel.click();
  await vce.expectRow('endless', 'stopped');

  await test.step('its tab follows what is pressed in the panel', async () => {
    await vce.button('endless', 'open').click();
    const page = vce.startingPage('endless');
    await expect(page).toContainText('Endless is starting');
    await cancel.click();
    await expect(page).toContainText('Endless is not running');
    await vce.button('endless', 'start').click();
    await expect(page).toContainText('Endless is starting');
    await cancel.click();
    await vce.expectRow('endless', 'stopped');
  });
});

test('a database that is killed comes back by itself', async ({
  server,
  vce
}) => {
  await server.settle('mongo', 'ready');
  await vce.openPanel();
  await vce.expectRow('mongo', 'ready');
  const { pid } = await server.service('mongo');
  process.kill(pid ?? 0, 'SIGKILL');
  await expect
    .poll(async () => {
      const now = await server.service('mongo');
      return now.state === 'ready' && now.pid !== pid;
    })
    .toBe(true);
  await vce.expectRow('mongo', 'ready');
  // It was away for less than a second, but connections of notebooks were cut.
  const row = vce.row('mongo');
  await expect(row).toContainText('Ended unexpectedly at');
  await expect(row).toContainText('run the cells that connect to it again');
  await vce.expectAccessible('#vce-panel');
  await row.getByRole('button', { name: /^OK, I have read/ }).click();
  await expect(row).not.toContainText('Ended unexpectedly');
  await expect(row).toBeFocused();
});

test('a failure says why, and what to do', async ({ page, server, vce }) => {
  await server.settle('fickle', 'stopped');
  await vce.openPanel();
  await vce.expectRow('fickle', 'stopped');
  await vce.button('fickle', 'start').click();
  await vce.expectRow('fickle', 'failed');
  const row = vce.row('fickle');
  await expect(row).toContainText('exit code 3');
  const end = row.getByRole('region', {
    name: 'Last lines of the log of Fickle'
  });
  await expect(end).toBeHidden();
  await row.getByText('Last lines of its log', { exact: true }).click();
  await expect(end).toContainText('settings.ini: line 3: no such colour');
  await expect(vce.button('fickle', 'start')).toHaveText('Try again');
  await vce.expectAccessible('#vce-panel');

  await vce.button('fickle', 'logs').click();
  await expect(page.getByRole('log', { name: 'Log of Fickle' })).toContainText(
    'no such colour'
  );
  await vce.expectAccessible('#vce-log-fickle');
});
