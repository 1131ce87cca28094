import { galata } from '@jupyterlab/galata';

import { expect, test } from '../support/test';

test.use({
  mockSettings: {
    ...galata.DEFAULT_SETTINGS,
    'ou-vce-ext:plugin': {
      // As the panel calls it.
      startWithLab: ['Maps'],
      open: 'browser',
      pollSeconds: 60
    }
  }
});

test.beforeEach(async ({ server }) => {
  await server.settle('maps', 'stopped');
  await server.settle('genie', 'stopped');
});

test('what a student has chosen is what happens', async ({
  context,
  page,
  server,
  vce
}) => {
  await vce.openPanel();
  await test.step('a service starts with JupyterLab, and what it needs', async () => {
    await vce.expectRow('maps', 'ready');
    await vce.expectRow('genie', 'ready');
  });

  await test.step('once: a reload starts nothing anew', async () => {
    await server.settle('maps', 'stopped');
    await page.reload();
    await vce.openPanel();
    await vce.expectRow('maps', 'stopped');
    await server.settle('maps', 'ready');
    await vce.expectRow('maps', 'ready');
  });

  await test.step('an app opens in the browser, though its module says tab', async () => {
    const opening = context.waitForEvent('page');
    await vce.button('maps', 'open').click();
    const maps = await opening;
    await expect(maps).toHaveURL(`${server.url}vce/app/maps/`);
    await maps.close();
    await expect(vce.tab('maps')).toHaveCount(0);
  });

  await test.step('the settings are there to be read and changed', async () => {
    await page.evaluate(() =>
      window.jupyterapp.commands.execute('settingeditor:open', {
        query: 'Services (VCE)'
      })
    );
    await page.locator('.jp-PluginList').getByText('Services (VCE)').click();
    const editor = page.locator('.jp-SettingsPanel');
    await expect(editor).toContainText('Where apps open');
    await expect(editor).toContainText('Start with JupyterLab');
    // JupyterLab's form ties no label to its fields.
    const seconds = editor.locator('input[id$="_pollSeconds"]');
    await expect(seconds).toHaveValue('60');
    const looks = (): Promise<unknown> =>
      page.waitForRequest(/\/vce\/api\/services(\?|$)/);
    // The change makes for one look at once; the next is of the new pace, not of a minute.
    const first = looks();
    await seconds.fill('2');
    await first;
    await looks();
    await looks();
  });
});
