import { expect, test } from '../support/test';

test('the panel says that the server is gone, and recovers', async ({
  server,
  vce
}) => {
  await server.settle('postgres', 'ready');
  await server.settle('mongo', 'ready');
  await vce.openPanel();
  await vce.expectRow('postgres', 'ready');

  const told = await vce.followAnnouncements();
  await server.end('SIGKILL');
  await expect(vce.panel).toContainText(
    'The Jupyter server cannot be reached.'
  );
  await expect(vce.panel).toContainText('Your files are safe.');
  await vce.expectRow('postgres', 'unknown');
  await expect(vce.button('postgres', 'stop')).toBeHidden();
  await vce.expectAccessible('#vce-panel');

  await server.run();
  await expect(vce.panel).not.toContainText('cannot be reached');
  await vce.expectRow('postgres', 'ready');
  await vce.expectRow('mongo', 'ready');
  // It may be said in one breath with what has changed meanwhile.
  await expect.poll(told).toContain('The Jupyter server is back.');
});
