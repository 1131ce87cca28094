import { expect, type Locator } from '@playwright/test';

import type { VCE } from './vce';

/** What concerns a service's data: its line in the panel, the list of backups, the dialogs. */
export class BackupPages {
  constructor(private readonly vce: VCE) {
    this.list = vce.page.locator('#vce-backups');
    this.dialog = vce.page.getByRole('dialog');
  }

  /** The list of backups, in its tab. */
  readonly list: Locator;

  /** What asks something. */
  readonly dialog: Locator;

  /** A button of a service's row in the panel. */
  button(name: string, action: string): Locator {
    return this.vce.row(name).locator(`[data-vce-action="${action}"]`);
  }

  /** Choose something below a service in the main menu. */
  async choose(title: string, entry: string): Promise<void> {
    // The menu is drawn once, when it is opened: what the page waits for would be grey in it.
    await expect(
      this.vce.panel.getByRole('button', {
        name: `Back up ${title}`,
        includeHidden: true
      })
    ).toBeEnabled();
    await this.vce.page.menu.clickMenuItem(`VCE>${title}>${entry}`);
  }

  /** The backups of a service in the list, newest first. */
  of(name: string): Locator {
    return this.list.locator(`[data-vce-backups-of="${name}"] > ul > li`);
  }

  /** Expect a service's newest backup to be proven, to people and to programs. */
  async expectProven(name: string): Promise<void> {
    const newest = this.vce.row(name).locator('.jp-vce-newest');
    await expect(newest).toHaveAttribute('data-vce-proof', 'verified');
    await expect(newest).toHaveText(/^Backed up .*, proven$/);
  }

  /** A note in the corner. */
  note(words: RegExp | string): Locator {
    return this.vce.page.locator('.Toastify__toast').filter({ hasText: words });
  }
}
