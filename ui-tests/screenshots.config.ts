import { defineConfig } from '@playwright/test';

import { browser } from './support/browser';

/** Takes the pictures in docs/images/ anew, from the real thing. */
export default defineConfig({
  testDir: './screenshots',
  outputDir: './test-results',
  workers: 1,
  reporter: [['list']],
  timeout: 300_000,
  expect: { timeout: 120_000 },
  use: browser
});
