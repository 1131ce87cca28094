import { galata } from '@jupyterlab/galata';

import { expect, test } from '../support/test';

test.use({
  mockSettings: {
    ...galata.DEFAULT_SETTINGS,
    '@jupyterlab/translation-extension:plugin': { locale: 'fr_FR' }
  },
  // Galata's own looks for English words.
  waitForApplication: async ({ baseURL: _ }, use) => {
    await use(async page => {
      await page.locator('.jp-Launcher').waitFor();
    });
  }
});

test('who has chosen French reads French', async ({ page, server, vce }) => {
  for (const name of [
    'openrefine',
    'mongo',
    'genie',
    'maps',
    'fickle',
    'endless'
  ]) {
    await server.settle(name, 'stopped');
  }
  await server.settle('postgres', 'ready');
  await vce.openPanel();
  const row = vce.row('postgres');
  await expect(row.locator('.jp-vce-state-words')).toHaveText('En marche');
  await expect(vce.button('postgres', 'stop')).toHaveText('Arrêter');
  await expect(vce.button('openrefine', 'open')).toHaveAccessibleName(
    'Ouvrir OpenRefine'
  );
  await expect(vce.row('absent')).toContainText('Pas installé');
  await expect(vce.tile('openrefine')).toHaveAttribute(
    'aria-label',
    'OpenRefine: Arrêté'
  );

  await test.step('also what the server says', async () => {
    await expect(vce.row('absent')).toContainText('Installez-le');
  });

  await test.step('with the plurals of French', async () => {
    await expect(vce.statusItem).toHaveText('1 service en marche');
    await server.settle('postgres', 'stopped');
    await expect(vce.statusItem).toHaveText('0 service en marche');
    await server.settle('postgres', 'ready');
    await server.settle('mongo', 'ready');
    await expect(vce.statusItem).toHaveText('2 services en marche');
  });

  await test.step('in dialogs, too', async () => {
    await vce.panel.getByRole('button', { name: 'Tout arrêter' }).click();
    const dialog = page.getByRole('dialog', {
      name: 'Arrêter les 2 services ?'
    });
    await expect(dialog).toContainText('Chacun a le temps');
    await vce.expectAccessible('.jp-Dialog');
    await page.keyboard.press('Escape');
  });

  await test.step('where longer words have room', async () => {
    await vce.expectAccessible('#vce-panel');
    const over = await vce.panel.evaluate(
      panel => panel.scrollWidth - panel.clientWidth
    );
    expect(over).toBeLessThanOrEqual(0);
  });
});
