import {
  expectAccessibleInAllLooks,
  expectNothingLost,
  expectTargets
} from '../support/looks';
import { ago, operation, Pretence } from '../support/pretend';
import { expect, test } from '../support/test';

const STATES = [
  'stopped',
  'ready',
  'unresponsive',
  'starting',
  'stopping',
  'backoff',
  'failed',
  'unavailable'
];

test('every state is there for everybody: panel, tiles, status bar, lists', async ({
  page,
  vce
}) => {
  const pretence = new Pretence(page);
  await pretence.begin();
  await pretence.told();
  await vce.openPanel();
  for (const state of STATES) {
    await expect(vce.panel.locator(`[data-vce-state="${state}"]`)).toHaveCount(
      1
    );
    await expect(
      page.locator(`.jp-LauncherCard[data-vce-state="${state}"]`)
    ).toHaveCount(1);
  }
  await vce
    .row('fickle')
    .getByText('Last lines of its log', { exact: true })
    .click();

  await test.step('the services', async () => {
    const parts = [
      '#vce-panel',
      '.jp-LauncherCard[data-vce-service]',
      '.jp-vce-status-item'
    ];
    await expectAccessibleInAllLooks(page, ...parts);
    await expectTargets(page, '#vce-panel');
    await expectNothingLost(page, '#vce-panel');
  });

  await test.step('work on data, and what became of it', async () => {
    pretence.operations = [
      operation('backup', {
        service: 'postgres',
        progress: 0.4,
        message: 'Backing up PostgreSQL: tm351_hospital, 12 of 31 MB'
      }),
      operation('reset', {
        service: 'openrefine',
        state: 'failed',
        finished: ago(0),
        error: {
          code: 'disk-full',
          message: 'There is no room for the safety copy: 31 MB are missing.',
          hint: 'Delete what you no longer need.',
          exit_code: null,
          signal: null,
          log_tail: []
        }
      })
    ];
    await page.reload();
    await vce.openPanel();
    await expect(
      vce.row('postgres').getByRole('button', { name: 'Cancel the backup of' })
    ).toBeVisible();
    await expect(vce.row('openrefine')).toContainText('There is no room');
    await expectAccessibleInAllLooks(page, '#vce-panel');
    await expectTargets(page, '#vce-panel');
  });

  await test.step('the backups, each in its state', async () => {
    await vce
      .row('postgres')
      .getByRole('button', { name: 'Backups of PostgreSQL' })
      .click();
    const list = page.locator('#vce-backups');
    for (const proof of ['verified', 'unverified', 'failed']) {
      await expect(list.locator(`[data-vce-proof="${proof}"]`)).not.toHaveCount(
        0
      );
    }
    await list.getByText('What is in it').first().click();
    await expectAccessibleInAllLooks(page, '#vce-backups');
    await expectTargets(page, '#vce-backups');
    await expectNothingLost(page, '#vce-backups');
  });

  await test.step('the connection card and a log', async () => {
    await vce.button('postgres', 'connect').click();
    await expect(vce.card('postgres')).toBeVisible();
    await expectAccessibleInAllLooks(page, '#vce-connection-postgres');
    await expectTargets(page, '#vce-connection-postgres');
    await expectNothingLost(page, '#vce-connection-postgres');
    await vce.button('fickle', 'logs').click();
    await expect(page.locator('#vce-log-fickle')).toContainText('a line');
    await expectAccessibleInAllLooks(page, '#vce-log-fickle');
  });

  await test.step('and what nobody knows', async () => {
    pretence.gone = true;
    await pretence.told();
    await expect(vce.panel.locator('[data-vce-state="unknown"]')).toHaveCount(
      STATES.length
    );
    await expectAccessibleInAllLooks(
      page,
      '#vce-panel',
      '.jp-vce-status-item',
      '#vce-log-fickle'
    );
  });
});
