import { expect, test } from '../support/test';

test('what is under way is told in the corner, over a reload of the page', async ({
  page,
  server,
  vce
}) => {
  await server.settle('genie', 'stopped');
  // What cannot be chosen yet would be grey in the menu.
  await vce.expectTile('genie', 'stopped');
  await vce.followNotes();
  await server.hold('genie');
  await page.menu.clickMenuItem('VCE>Genie>Start Genie');
  await expect(vce.toast('Starting Genie')).toBeVisible();
  await expect(vce.statusItem).toContainText('Starting Genie');
  await page.reload();
  await expect(vce.toast('Starting Genie')).toBeVisible();
  await server.letGo('genie');
  await vce.expectNoted(/Genie is ready/);
  await vce.expectTile('genie', 'ready');
});

test('status bar and running list lead to the services', async ({
  context,
  page,
  server,
  vce
}) => {
  await server.settle('postgres', 'ready');
  await server.settle('mongo', 'ready');
  await server.settle('genie', 'ready');
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await test.step('the list of all that runs has the services', async () => {
    await page.getByRole('tab', { name: /^Running/ }).click();
    const list = page.locator('#jp-running-sessions');
    await expect(list.getByText('PostgreSQL', { exact: true })).toBeVisible();
    await expect(list.getByText('Genie', { exact: true })).toBeVisible();
  });

  await test.step('a failure is seen in the status bar', async () => {
    await server.settle('fickle', 'stopped');
    await server.request('POST', 'vce/api/services/fickle/start');
    await expect(vce.statusItem).toHaveAttribute('data-vce-state', 'failed');
    await expect(vce.statusItem).toHaveText('Fickle failed.');
    await vce.expectAccessible('.jp-vce-status-item');
    await vce.statusItem.click();
    await vce.expectRow('fickle', 'failed');
  });

  await test.step('and can be shown to who helps', async () => {
    await vce
      .row('fickle')
      .getByRole('button', { name: 'Copy for the forum: Fickle' })
      .click();
    const dialog = page.getByRole('dialog');
    const report = dialog.getByRole('textbox', {
      name: 'Report for the forum'
    });
    await expect(report).toHaveValue(/Fickle/);
    expect(await report.inputValue()).not.toContain(server.home);
    expect(await report.inputValue()).not.toContain(server.token);
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toBe(await report.inputValue());
    await vce.expectAccessible('.jp-Dialog');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('all can be stopped, once that is agreed, and started', async () => {
    await vce.panel.getByRole('button', { name: 'Stop all' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('Genie');
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
    await vce.expectAccessible('.jp-Dialog');
    await dialog.getByRole('button', { name: 'Stop all' }).click();
    for (const name of ['postgres', 'mongo', 'genie']) {
      await vce.expectRow(name, 'stopped');
    }
    await server.settle('mongo', 'ready');
    await server.settle('postgres', 'ready');
  });
});

test('a log is followed while it is looked at', async ({
  page,
  server,
  vce
}) => {
  await server.settle('maps', 'ready');
  await vce.openPanel();
  await vce.button('maps', 'logs').click();
  const log = page.getByRole('log', { name: 'Log of Maps' });
  await expect(log).toBeVisible();
  await server.request('GET', 'vce/app/maps/a-page-nobody-has');
  await expect(log).toContainText('/a-page-nobody-has');
  await vce.expectAccessible('#vce-log-maps');
});
