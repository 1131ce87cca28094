import {
  READINGS,
  READINGS_BY_RIVER,
  writeReadings
} from '../support/readings';
import { expect, test } from '../support/test';

/** How Galata reloads a page without waiting for what it knows of it. */
const AS_IT_IS = { waitUntil: 'load', waitForIsReady: false } as const;

// What a page keeps over a reload is really kept.
test.use({ mockState: false });

test.describe('OpenRefine', () => {
  test.beforeEach(async ({ server }) => {
    await server.settle('openrefine', 'stopped');
    await server.settle('postgres', 'ready');
    await server.settle('mongo', 'ready');
  });

  test('is one click away, with room for real data', async ({
    keptLayout,
    openRefine,
    page,
    vce
  }, testInfo) => {
    await test.step('a tile for each service says how it is', async () => {
      await vce.expectTile('openrefine', 'stopped');
      await vce.expectTile('postgres', 'ready');
      await vce.expectTile('mongo', 'ready');
      await vce.expectAccessible('.jp-LauncherCard[data-vce-service]');
    });

    await test.step('its tile opens a tab that says how far the start is', async () => {
      // Its page follows the start by these, and is looked at for longer than that may take.
      let goOn = (): void => undefined;
      const lookedAt = new Promise<void>(resolve => (goOn = resolve));
      await page.route('**/vce/api/services/openrefine', async route => {
        await lookedAt;
        await route.continue();
      });
      await vce.tile('openrefine').click();
      const starting = vce.startingPage('openrefine');
      await expect(starting).toContainText('OpenRefine is starting');
      await expect(starting.getByRole('progressbar')).toBeVisible();
      await vce.expectAccessible(['#vce-app-openrefine iframe', 'main']);
      await expect(vce.tabLabel('openrefine')).toHaveText('OpenRefine');
      goOn();
    });

    await test.step('OpenRefine takes its place', async () => {
      await expect(openRefine.tasks).toBeVisible();
    });

    await test.step('a stop before a file is a project would lose the import, and says so', async () => {
      const file = testInfo.outputPath('readings.csv');
      await writeReadings(file);
      await openRefine.beginImport(file);
      await vce.openPanel();
      await vce.button('openrefine', 'stop').click();
      const dialog = page.getByRole('dialog', { name: 'Stop OpenRefine?' });
      await expect(dialog).toContainText(
        'An import is open that is no project yet. It would be lost'
      );
      await expect(
        dialog.getByRole('button', { name: 'Stop anyway' })
      ).toBeVisible();
      await expect(
        dialog.getByRole('button', { name: 'Cancel' })
      ).toBeFocused();
      await vce.expectAccessible('.jp-Dialog');
      await page.keyboard.press('Enter');
      await expect(dialog).toBeHidden();
      await expect(openRefine.newName).toBeVisible();
    });

    await test.step('a file of 12,000 rows becomes a project', async () => {
      await openRefine.finishImport('River levels', READINGS);
    });

    await test.step('a text facet counts them', async () => {
      await openRefine.addTextFacet('river');
      for (const [river, count] of Object.entries(READINGS_BY_RIVER)) {
        await expect(
          openRefine.choice(river).locator('.facet-choice-count')
        ).toHaveText(String(count));
      }
    });

    await test.step('a second click on the tile goes to the open tab', async () => {
      await vce.openLauncher();
      await vce.expectTile('openrefine', 'ready');
      await expect(vce.tab('openrefine')).toBeHidden();
      await vce.tile('openrefine').click();
      await expect(vce.tab('openrefine')).toBeVisible();
      await expect(page.locator('.jp-vce-app')).toHaveCount(1);
      await expect(openRefine.choice('Øresund')).toBeVisible();
    });

    await test.step('stopped in the panel, it says what is not saved yet', async () => {
      await vce.openPanel();
      await vce.expectRow('openrefine', 'ready');
      await openRefine.starFirstRow();
      await vce.button('openrefine', 'stop').click();
      const dialog = page.getByRole('dialog', { name: 'Stop OpenRefine?' });
      await expect(dialog).toContainText('“River levels” was changed');
      await expect(
        dialog.getByRole('button', { name: 'Cancel' })
      ).toBeFocused();
      await vce.expectAccessible('.jp-Dialog');
      await dialog.getByRole('button', { name: 'Save and stop' }).click();
      await vce.expectRow('openrefine', 'stopped');
      await vce.expectAccessible('#vce-panel');
      await vce.openLauncher();
      await vce.expectTile('openrefine', 'stopped');
    });

    await test.step('started again, it has kept the project', async () => {
      await vce.button('openrefine', 'start').click();
      await vce.expectRow('openrefine', 'ready');
      await vce.button('openrefine', 'open').click();
      await page.getByRole('button', { name: 'Reload its page' }).click();
      await openRefine.listProjects();
      await expect(openRefine.project('River levels')).toBeVisible();
    });

    await test.step('its tab comes back after a reload of the page', async () => {
      await expect
        .poll(keptLayout)
        .toMatchObject({ main: { current: 'vce-app:openrefine' } });
      // Galata would wait for a launcher in front, and the tab is what is in front.
      await page.reload(AS_IT_IS);
      await expect(vce.tab('openrefine')).toBeVisible();
      // The list, or the project that was open before it: what was kept last.
      await expect(openRefine.tasks.or(openRefine.projectName)).toBeVisible();
      await vce.expectRow('openrefine', 'ready');
    });
  });
});
