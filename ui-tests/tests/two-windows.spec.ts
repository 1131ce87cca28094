import { galata } from '@jupyterlab/galata';
import type { Locator, Page } from '@playwright/test';

import { expect, test } from '../support/test';

/** A window at rest looks by itself that seldom: who knows sooner has been told. */
const SELDOM = {
  ...galata.DEFAULT_SETTINGS,
  'ou-vce-ext:plugin': { pollSeconds: 60 }
};

/** How long (ms) two windows may disagree: shorter than that. */
const AGREED = 30_000;

test.use({ mockSettings: SELDOM });

/** A service in the panel of a window. */
const rowIn = (page: Page, name: string): Locator =>
  page.locator(`#vce-panel [data-vce-service="${name}"]`);

test('two windows agree on what happens', async ({ context, server, vce }) => {
  await server.settle('postgres', 'ready');
  await vce.openPanel();
  const other = await context.newPage();
  await galata.Mock.mockSettings(other, [], { ...SELDOM });
  await other.goto(`${server.url}lab/workspaces/other`);
  await other.getByRole('tab', { name: 'Services (VCE)' }).click();
  await expect(rowIn(other, 'postgres')).toHaveAttribute(
    'data-vce-state',
    'ready'
  );
  await vce.expectRow('postgres', 'ready');

  await rowIn(other, 'postgres').locator('[data-vce-action="stop"]').click();
  await expect(rowIn(other, 'postgres')).toHaveAttribute(
    'data-vce-state',
    'stopped'
  );
  await expect(vce.row('postgres')).toHaveAttribute(
    'data-vce-state',
    'stopped',
    { timeout: AGREED }
  );

  await vce.button('postgres', 'start').click();
  await vce.expectRow('postgres', 'ready');
  await expect(rowIn(other, 'postgres')).toHaveAttribute(
    'data-vce-state',
    'ready',
    { timeout: AGREED }
  );
});
