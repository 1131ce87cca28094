import type { Locator } from '@playwright/test';

import { BackupPages } from '../pages/backups';
import {
  expectAccessibleInAllLooks,
  expectNothingLost,
  expectTargets
} from '../support/looks';
import { Pretence } from '../support/pretend';
import { expect, test } from '../support/test';

test('every dialog and every note is there for everybody', async ({
  page,
  vce
}) => {
  const pretence = new Pretence(page);
  const [openrefine] = pretence.services;
  Object.assign(openrefine ?? {}, { state: 'ready' });
  await pretence.begin();
  await page.reload();
  await vce.openPanel();
  const ours = new BackupPages(vce);
  const { dialog } = ours;

  /** Open a dialog, look at it in all ways, and leave it by Escape: nothing happens then. */
  const look = async (
    words: string,
    safe: string,
    open: () => Promise<unknown>
  ): Promise<void> => {
    await test.step(words, async () => {
      await open();
      await expect(dialog).toContainText(words);
      await expect(dialog).toHaveAccessibleName(/\S/);
      await expect(dialog.getByRole('button', { name: safe })).toBeFocused();
      await expectAccessibleInAllLooks(page, '.jp-Dialog');
      await expectTargets(page, '.jp-Dialog-body');
      await expectNothingLost(page, '.jp-Dialog-content');
    });
  };
  const leave = async (): Promise<void> => {
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  };
  const press = (button: Locator) => () => button.click();

  await look(
    'Stop OpenRefine?',
    'Cancel',
    press(vce.button('openrefine', 'stop'))
  );
  await leave();
  await look(
    'Each is given time to save',
    'Cancel',
    press(vce.panel.getByRole('button', { name: 'Stop all' }))
  );
  await leave();
  await look(
    'Reset PostgreSQL?',
    'Keep my data',
    press(ours.button('postgres', 'reset'))
  );
  await leave();
  await look('Start Maps first?', 'Start Maps', async () => {
    const maps = pretence.services.find(({ name }) => name === 'maps');
    Object.assign(maps ?? {}, { state: 'stopped', retry_at: null });
    await pretence.told();
    await vce.expectRow('maps', 'stopped');
    await ours.button('maps', 'reset').click();
  });
  await leave();
  await look('Back up everything?', 'Back up everything', () =>
    page.menu.clickMenuItem('VCE>Back up everything…')
  );
  await leave();
  await look('Report for the forum', 'Close', () =>
    page.menu.clickMenuItem('VCE>Copy a report for the forum')
  );
  await leave();

  await ours.button('postgres', 'backups').click();
  const proven = ours.of('postgres').nth(1);
  await look(
    'Restore into PostgreSQL?',
    'Cancel',
    press(proven.getByRole('button', { name: /^Restore from/ }))
  );
  await dialog.getByText('Beside what is there').click();
  await expectAccessibleInAllLooks(page, '.jp-Dialog');
  await leave();
  await look(
    'Delete this backup?',
    'Keep it',
    press(proven.getByRole('button', { name: /^Delete/ }))
  );
  await leave();

  await test.step('work that is refused, and going on all the same', async () => {
    pretence.refusal = {
      status: 507,
      code: 'disk-full',
      message: 'There is no room for the safety copy: 31 MB are missing.',
      hint: 'Delete what you no longer need, such as old backups.'
    };
    await look('There is no room', 'Close', async () => {
      await ours.button('postgres', 'reset').click();
      await dialog
        .getByRole('button', { name: 'Make a copy, then reset' })
        .click();
      await expect(dialog).toContainText('There is no room');
    });
    await look(
      'There is no undo then',
      'Keep my data',
      press(dialog.getByRole('button', { name: 'Without a copy…' }))
    );
    await leave();
  });

  await test.step('notes in the corner', async () => {
    await page.getByRole('tab', { name: 'Services (VCE)' }).click();
    await expect(vce.panel).toBeHidden();
    pretence.refusal = null;
    await ours.choose('PostgreSQL', 'Reset PostgreSQL…');
    await dialog
      .getByRole('button', { name: 'Make a copy, then reset' })
      .click();
    await expect(
      vce.toast('as fresh as').getByRole('button', { name: 'Undo' })
    ).toBeVisible();
    await expectAccessibleInAllLooks(page, '.Toastify__toast');
  });
});
