import { JupyterServer } from '../support/jupyter';
import { expect, test } from '../support/test';

test('a second Jupyter in the same home says who has the services', async ({
  page,
  server,
  vce
}) => {
  await server.settle('postgres', 'ready');
  const second = await JupyterServer.startIn(server.home, {});
  try {
    await page.goto(`${second.url}lab?token=${second.token}`);
    await vce.openPanel();
    for (const name of ['openrefine', 'postgres', 'mongo']) {
      await vce.expectRow(name, 'failed');
      await expect(vce.row(name)).toContainText(
        `process ${String(server.pid)}`
      );
    }
    await vce.expectAccessible('#vce-panel');
  } finally {
    await second.stop();
  }

  expect((await server.service('postgres')).state).toBe('ready');
});
