import * as fs from 'node:fs/promises';

import { expect, test } from '../support/test';

test.use({ serverOptions: { baseUrl: '/deep/er/' } });

test('OpenRefine works where Jupyter has a prefix', async ({
  openRefine,
  page,
  server,
  vce
}, testInfo) => {
  await vce.tile('openrefine').click();
  await expect(openRefine.tasks).toBeVisible();
  const frames = page.frames().map(frame => frame.url());
  expect(frames).toContain(`${server.url}vce/app/openrefine/`);

  const file = testInfo.outputPath('rivers.csv');
  await fs.writeFile(file, 'river,country\nNidelva,NO\nGota,SE\nGlomma,NO\n');
  await openRefine.createProject(file, 'Few rivers', 3);
  await openRefine.addTextFacet('country');
  await expect(
    openRefine.choice('NO').locator('.facet-choice-count')
  ).toHaveText('2');

  await openRefine.listProjects();
  await expect(openRefine.project('Few rivers')).toBeVisible();
  await vce.openPanel();
  await vce.expectRow('openrefine', 'ready');
  await vce.expectAccessible('#vce-panel');
});
