import { expect, test } from '../support/test';

test.use({
  serverOptions: {
    declarations: {
      'broken.toml': '[services.half\nkind = ',
      'mistakes.toml': `
[services.typo]
kind = "web"
title = "Typo"
command = ["true"]
opne = "browser"

[services.spaceship]
kind = "rocket"

[services.one]
kind = "web"
command = ["true"]
port = 4567

[services.two]
kind = "web"
command = ["true"]
port = 4567
`
    }
  }
});

test('mistakes in a declaration are told on the service, and nobody else suffers', async ({
  context,
  server,
  vce
}) => {
  await vce.openPanel();
  await vce.expectRow('postgres', 'ready');
  await vce.expectRow('mongo', 'ready');
  for (const [name, ...words] of [
    ['typo', 'mistakes.toml', 'opne', 'Did you mean `open`?'],
    ['spaceship', 'mistakes.toml', 'rocket', 'web'],
    ['two', '4567', 'one']
  ] as const) {
    await vce.expectRow(name, 'failed');
    for (const word of words) {
      await expect(vce.row(name)).toContainText(word);
    }
  }
  await vce.expectAccessible('#vce-panel');

  await test.step('a file that cannot be read is told on the status page', async () => {
    const page = await context.newPage();
    await page.goto(`${server.url}vce/status`);
    await expect(
      page.getByRole('listitem').filter({ hasText: 'broken.toml' })
    ).toBeVisible();
  });
});
