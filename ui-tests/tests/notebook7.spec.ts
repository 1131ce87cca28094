import { expectAccessible } from '../support/accessible';
import { expect, test } from '../support/test';

test('Jupyter Notebook has the services beside its files', async ({
  context,
  server
}) => {
  await server.settle('postgres', 'stopped');
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', error => {
    if (error.stack?.includes('ou-vce-ext')) {
      errors.push(error.stack);
    }
  });
  await page.goto(`${server.url}tree`);
  const panel = page.locator('#vce-panel');
  const row = panel.locator('[data-vce-service="postgres"]');

  await test.step('in a tab of its own', async () => {
    await page.getByRole('tab', { name: 'Services (VCE)' }).click();
    await expect(row).toHaveAttribute('data-vce-state', 'stopped');
    await row.getByRole('button', { name: 'Start PostgreSQL' }).click();
    await expect(row).toHaveAttribute('data-vce-state', 'ready');
    await expectAccessible(page, '#vce-panel');
  });

  await test.step('with how to connect', async () => {
    await row.getByRole('button', { name: 'Connect to PostgreSQL' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('need no settings');
    await expectAccessible(page, '.jp-Dialog');
    const opening = context.waitForEvent('page');
    await dialog
      .getByRole('button', {
        name: 'Insert into a new notebook: Python: psycopg (PostgreSQL)'
      })
      // By keyboard: Enter is the button's here, not the dialog's.
      .press('Enter');
    const notebook = await opening;
    await expect(notebook.locator('.jp-Notebook')).toContainText(
      'psycopg.connect()'
    );
    // Notebook goes on building its page: a menu that is open by then is closed.
    await expect(async () => {
      await notebook.keyboard.press('Escape');
      await notebook.getByRole('menuitem', { name: 'VCE' }).click();
      await expect(
        notebook.locator('.lm-Menu').getByText('PostgreSQL')
      ).toBeVisible({ timeout: 5_000 });
    }).toPass();
    await notebook.close();
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('and apps open in the browser', async () => {
    await server.settle('maps', 'ready');
    const opening = context.waitForEvent('page');
    await panel.getByRole('button', { name: 'Open Maps' }).click();
    const maps = await opening;
    await expect(maps).toHaveURL(`${server.url}vce/app/maps/`);
  });
  expect(errors).toEqual([]);
});
