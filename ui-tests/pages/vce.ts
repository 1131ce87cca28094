import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, type FrameLocator, type Locator } from '@playwright/test';

import { expectAccessible } from '../support/accessible';

/** What a state is called where a person reads it. */
export const WORDS = {
  failed: 'Failed',
  ready: 'Running',
  starting: 'Starting…',
  stopped: 'Stopped',
  stopping: 'Stopping…',
  unavailable: 'Not installed',
  unknown: 'Unknown'
} as const;

export type State = keyof typeof WORDS;

/** What the buttons of a service's row do. */
export type Action =
  | 'open'
  | 'connect'
  | 'start'
  | 'stop'
  | 'restart'
  | 'logs'
  | 'keep'
  | 'insist';

/** Our own parts of JupyterLab: tiles, panel, tabs. */
export class VCE {
  constructor(readonly page: IJupyterLabPageFixture) {
    this.panel = page.locator('#vce-panel');
  }

  /** The panel in the sidebar. */
  readonly panel: Locator;

  /** Show the panel by a click on its icon in the sidebar. */
  async openPanel(): Promise<void> {
    if (!(await this.panel.isVisible())) {
      await this.page.getByRole('tab', { name: 'Services (VCE)' }).click();
    }
    await expect(this.panel).toBeVisible();
  }

  /** Our category of the launcher. */
  get category(): Locator {
    return this.page
      .locator('.jp-Launcher-section')
      .filter({ has: this.page.getByRole('heading', { name: 'VCE' }) });
  }

  /** A service's tile in the launcher that is shown. */
  tile(name: string): Locator {
    return this.page
      .locator(`.jp-LauncherCard[data-vce-service="${name}"]`)
      .filter({ visible: true });
  }

  /** A service in the panel. */
  row(name: string): Locator {
    return this.panel.locator(`[data-vce-service="${name}"]`);
  }

  button(name: string, action: Action): Locator {
    return this.row(name).locator(`[data-vce-action="${action}"]`);
  }

  /** The connection card of a database. */
  card(name: string): Locator {
    return this.page.locator(`#vce-connection-${name}`);
  }

  /** What the status bar says of all services. */
  get statusItem(): Locator {
    return this.page.locator('.jp-vce-status-item');
  }

  /** A note in the corner. */
  toast(text: string | RegExp): Locator {
    return this.page.locator('.Toastify__toast').filter({ hasText: text });
  }

  /** The tab of a service in JupyterLab's main area: what stands in it. */
  tab(name: string): Locator {
    return this.page.locator(`#vce-app-${name}`);
  }

  /** The page within the tab of a service. */
  app(name: string): FrameLocator {
    return this.tab(name).frameLocator('iframe');
  }

  /** The label of that tab in the tab bar. */
  tabLabel(name: string): Locator {
    return this.page.locator(
      `#jp-main-dock-panel .lm-TabBar-tab[data-vce-service="${name}"]`
    );
  }

  /** The page that stands in for an app until it runs, in the tab of a service. */
  startingPage(name: string): Locator {
    return this.app(name).locator('main[data-vce-service]');
  }

  /** Expect a service to be said to be in `state`, to people and to programs, by the panel. */
  async expectRow(name: string, state: State): Promise<void> {
    const row = this.row(name);
    await expect(row).toHaveAttribute('data-vce-state', state);
    await expect(row.locator('.jp-vce-state-words')).toHaveText(WORDS[state]);
  }

  /** The same of its tile. */
  async expectTile(name: string, state: State): Promise<void> {
    const tile = this.tile(name);
    await expect(tile).toHaveAttribute('data-vce-state', state);
    await expect(tile).toHaveAttribute(
      'aria-label',
      new RegExp(`: ${WORDS[state]}$`)
    );
  }

  /** A new launcher, as the button with the plus opens it. */
  async openLauncher(): Promise<void> {
    await this.page
      .getByRole('button', { name: /New Launcher/ })
      .first()
      .click();
    await expect(this.category).toBeVisible();
  }

  /** What screen readers are told from now on; grows. */
  async followAnnouncements(): Promise<() => Promise<string>> {
    return this.followText('.jp-vce-announcer');
  }

  /** What comes to stand in a part of the page from now on, if only for a moment; grows. */
  async followText(part: string): Promise<() => Promise<string>> {
    const told = await this.page.evaluateHandle(part => {
      const texts: string[] = [];
      const node = document.querySelector(part);
      if (node) {
        new MutationObserver(records => {
          texts.push(...records.map(({ target }) => target.textContent ?? ''));
        }).observe(node, {
          characterData: true,
          childList: true,
          subtree: true
        });
      }
      return texts;
    }, part);
    return async () => (await told.jsonValue()).join('\n');
  }

  /** Follow all notes in the corner from now on, also over a reload: some go by themselves. */
  async followNotes(): Promise<void> {
    this.notes.clear();
    await this.page.exposeFunction('vceNoteShown', (text: string) => {
      this.notes.add(text);
    });
    const follow = (): void => {
      const { vceNoteShown } = window as unknown as {
        vceNoteShown: (text: string) => void;
      };
      const known = new Set<string>();
      new MutationObserver(() => {
        for (const { textContent: text } of document.querySelectorAll(
          '.Toastify__toast'
        )) {
          if (text && !known.has(text)) {
            known.add(text);
            vceNoteShown(text);
          }
        }
      }).observe(document, {
        characterData: true,
        childList: true,
        subtree: true
      });
    };
    await this.page.addInitScript(follow);
    await this.page.evaluate(follow);
  }

  /** Expect one of the notes that are followed to have been shown since the last that was. */
  async expectNoted(words: RegExp): Promise<void> {
    await expect
      .poll(() => [...this.notes].filter(text => words.test(text)))
      .not.toEqual([]);
    this.notes.clear();
  }

  private readonly notes = new Set<string>();

  /** Expect no part of ours that is selected to be in anybody's way. */
  async expectAccessible(...parts: (string | string[])[]): Promise<void> {
    await expectAccessible(this.page, ...parts);
  }
}
