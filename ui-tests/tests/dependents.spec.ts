import { expect, test } from '../support/test';

test('a service that another needs is stopped only once that is agreed', async ({
  page,
  server,
  vce
}) => {
  await server.settle('maps', 'stopped');
  await server.settle('genie', 'stopped');
  await vce.openPanel();

  await test.step('what is needed is started first', async () => {
    await vce.button('maps', 'start').click();
    await vce.expectRow('maps', 'ready');
    await vce.expectRow('genie', 'ready');
  });

  const dialog = page.getByRole('dialog', { name: 'Stop Genie?' });
  await test.step('a stop names what goes with it', async () => {
    await vce.button('genie', 'stop').click();
    await expect(dialog).toContainText(
      'Maps needs Genie, and will be stopped first. It is given time to save.'
    );
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
    await vce.expectAccessible('.jp-Dialog');
  });

  await test.step('Enter, pressed in haste, changes nothing', async () => {
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
    await vce.expectRow('genie', 'ready');
    await vce.expectRow('maps', 'ready');
  });

  await test.step('agreed to, both are stopped', async () => {
    await vce.button('genie', 'stop').click();
    await dialog.getByRole('button', { name: 'Stop them' }).click();
    await vce.expectRow('genie', 'stopped');
    await vce.expectRow('maps', 'stopped');
  });
});
