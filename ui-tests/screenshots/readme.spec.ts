import type { Page } from '@playwright/test';
import * as path from 'node:path';

import { BackupPages } from '../pages/backups';
import { REPOSITORY } from '../support/jupyter';
import { expect, test } from '../support/test';

test.use({ serverOptions: { examples: ['genie'] } });

/** Take a picture for the documentation. */
async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({
    path: path.join(REPOSITORY, 'docs', 'images', `${name}.png`)
  });
}

test('the pictures of the documentation', async ({
  context,
  page,
  server,
  vce
}) => {
  const backups = new BackupPages(vce);
  await server.settle('openrefine', 'ready');
  await vce.openPanel();
  for (const name of ['openrefine', 'postgres', 'mongo'] as const) {
    await vce.expectRow(name, 'ready');
    await vce.expectTile(name, 'ready');
  }
  await server.request('POST', 'vce/api/services/postgres/backups');
  await backups.expectProven('postgres');
  await expect(page.locator('.Toastify__toast')).toHaveCount(0);

  for (const mode of ['', '-dark']) {
    if (mode) {
      await vce.openLauncher();
    }
    await picture(page, `lab${mode}`);

    await vce.tile('postgres').click();
    await expect(vce.card('postgres')).toBeVisible();
    await picture(page, `connection${mode}`);

    await page.menu.clickMenuItem('VCE>Backups');
    await expect(backups.of('postgres').first()).toBeVisible();
    await picture(page, `backups${mode}`);

    await backups.choose('PostgreSQL', 'Reset PostgreSQL…');
    await expect(backups.dialog).toContainText('This goes');
    await picture(page, `reset${mode}`);
    await backups.dialog.getByRole('button', { name: 'Keep my data' }).click();
    await expect(backups.dialog).toBeHidden();

    const status = await context.newPage();
    await status.emulateMedia({ colorScheme: mode ? 'dark' : 'light' });
    await status.goto(`${server.url}vce/status`);
    await picture(status, `status${mode}`);
    await status.close();
    await page.theme.setDarkTheme();
  }
});
