import { expectAccessible } from '../support/accessible';
import { expect, test } from '../support/test';

test('an app of the module opens in a browser tab of its own', async ({
  context,
  server,
  vce
}) => {
  await server.settle('genie', 'stopped');
  await vce.expectTile('genie', 'stopped');

  await server.hold('genie');
  const opening = context.waitForEvent('page');
  await vce.tile('genie').click();
  const genie = await opening;

  await test.step('which says that it is starting', async () => {
    await expect(
      genie.getByRole('heading', { name: 'Genie is starting' })
    ).toBeVisible();
    await expect(genie.getByRole('progressbar')).toBeVisible();
    await expectAccessible(genie);
  });

  await test.step('and becomes the app', async () => {
    await server.letGo('genie');
    await expect(
      genie.getByRole('heading', { name: 'Genie climate model' })
    ).toBeVisible();
    await genie.getByLabel('Carbon dioxide').selectOption('560 ppm');
    await genie.getByRole('button', { name: 'Run for 100 years' }).click();
    await expect(genie.getByRole('status')).toContainText(
      /After 100 years it is \d\.\d degrees warmer/
    );
  });

  await test.step('a second click opens no other', async () => {
    await vce.expectTile('genie', 'ready');
    await vce.tile('genie').click();
    await expect(vce.tile('genie')).toBeVisible();
    expect(context.pages()).toHaveLength(2);
  });
});
