import type {
  PlaywrightTestOptions,
  PlaywrightWorkerOptions
} from '@playwright/test';

/**
 * The system's own Chromium, which talks to nobody but the server under test. `VCE_CHROMIUM` in
 * the environment names another one.
 */
export const browser: Partial<PlaywrightTestOptions & PlaywrightWorkerOptions> =
  {
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    launchOptions: {
      executablePath: process.env.VCE_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-gpu',
        '--disable-quic',
        '--disable-sync',
        '--no-first-run'
      ]
    }
  };
