import { wear } from '../support/looks';
import { expect, test } from '../support/test';

const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="#0b6e99"/></svg>';

test.use({
  serverOptions: {
    declarations: {
      'logo.svg': LOGO,
      // Those that take long to start are not what this is about.
      'module.toml': `
[branding]
title = "TM351 VCE"
logo = "logo.svg"
colour = "#0b6e99"
help_url = "https://learn.example.org/tm351/forum"
help_text = "Ask in the TM351 forum"

[services.postgres]
enabled = false

[services.mongo]
enabled = false
`
    }
  }
});

test('a module gives its environment a name and a look', async ({
  context,
  page,
  server,
  vce
}) => {
  await expect(
    page.locator('.jp-Launcher').getByRole('heading', { name: 'TM351 VCE' })
  ).toBeVisible();
  await expect(page.getByRole('menuitem', { name: 'TM351 VCE' })).toBeVisible();
  await page.getByRole('tab', { name: 'Services (TM351 VCE)' }).click();
  await expect(
    vce.panel.getByRole('heading', { name: 'TM351 VCE' })
  ).toBeVisible();
  await expect(
    vce.panel.getByRole('link', { name: 'Ask in the TM351 forum' })
  ).toHaveAttribute('href', 'https://learn.example.org/tm351/forum');

  await test.step('its logo is there', async () => {
    const logo = vce.panel.locator('img.jp-vce-logo');
    await expect(logo).toBeVisible();
    await expect
      .poll(() =>
        logo.evaluate((image: HTMLImageElement) => image.naturalWidth)
      )
      .toBeGreaterThan(0);
  });

  await test.step('and its colour, by light and in a tint by dark', async () => {
    const line = vce.panel.locator('.jp-vce-header');
    await expect(line).toHaveCSS('border-top-color', 'rgb(11, 110, 153)');
    await vce.expectAccessible('#vce-panel');
    await wear(page, 'JupyterLab Dark');
    await expect(line).not.toHaveCSS('border-top-color', 'rgb(11, 110, 153)');
    await expect(line).not.toHaveCSS('border-top-color', 'rgba(0, 0, 0, 0)');
    await vce.expectAccessible('#vce-panel');
  });

  await test.step('on the status page, too', async () => {
    const status = await context.newPage();
    await status.goto(`${server.url}vce/status`);
    await expect(status.locator('body')).toContainText('TM351 VCE');
  });
});
