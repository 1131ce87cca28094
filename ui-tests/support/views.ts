import type {
  Browser,
  BrowserContextOptions,
  CDPSession,
  Page
} from '@playwright/test';

import { Desktop } from '../pages/desktop';
import type { JupyterServer } from './jupyter';
import { followSent, type Sent } from './rfb';

const NAME = 'daisyworld';

/** A view in a browser of its own. */
export interface IView {
  readonly desktop: Desktop;
  readonly page: Page;
  /** What it has sent to the program's display. */
  readonly sent: Sent[];
  /** Hands of another make than Playwright's. */
  readonly hands: CDPSession;
}

/** Looks at Daisyworld as this or that computer does it, one after the other. */
export async function look(
  browser: Browser,
  server: JupyterServer,
  options: BrowserContextOptions,
  at: (view: IView) => Promise<void>,
  prepare: (view: IView) => Promise<unknown> = () => Promise.resolve(),
  address = server.url
): Promise<void> {
  await server.settle(NAME, 'ready');
  const context = await browser.newContext({
    viewport: { width: 1000, height: 700 },
    locale: 'en-GB',
    ...options
  });
  try {
    const page = await context.newPage();
    const view = {
      desktop: new Desktop(page),
      hands: await context.newCDPSession(page),
      page,
      sent: followSent(page)
    };
    await prepare(view);
    await page.goto(`${address}vce/app/${NAME}/?token=${server.token}`);
    await view.desktop.expectShown();
    await view.desktop.expectDrawn();
    await at(view);
  } finally {
    await context.close();
  }
}
