import * as path from 'node:path';

import { REPOSITORY } from '../support/jupyter';
import { test } from '../support/test';

test.use({ serverOptions: { examples: ['genie'] } });

const image = (name: string): string =>
  path.join(REPOSITORY, 'docs', 'images', name);

test('the pictures of the README', async ({ context, page, server, vce }) => {
  await server.settle('openrefine', 'ready');
  await vce.openPanel();
  for (const name of ['openrefine', 'postgres', 'mongo'] as const) {
    await vce.expectRow(name, 'ready');
    await vce.expectTile(name, 'ready');
  }
  await page.screenshot({ path: image('lab.png') });

  await page.theme.setDarkTheme();
  await page.screenshot({ path: image('lab-dark.png') });

  const status = await context.newPage();
  await status.goto(`${server.url}vce/status`);
  await status.screenshot({ path: image('status.png') });
});
