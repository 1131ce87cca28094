import { defineConfig } from '@playwright/test';

import { browser } from './support/browser';

/**
 * Each spec names the server it wants (`test.use({ serverOptions })`); those that want the same
 * one share it. See support/test.ts.
 */
export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  // Real databases, Java and a browser on what may be a small machine: one test at a time.
  workers: 1,
  // A test that passes at the second try hides a fault of ours or of its own.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  // Some look at very many things, and a machine may be slow.
  timeout: 600_000,
  expect: { timeout: 60_000 },
  use: {
    ...browser,
    screenshot: 'only-on-failure',
    // Recording costs as much as the test: `jlpm test --trace on` where it is wanted.
    trace: 'off',
    video: 'off'
  }
});
