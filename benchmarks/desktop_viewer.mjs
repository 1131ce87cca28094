/**
 * What a person in a browser sees of a desktop: `node desktop_viewer.mjs '{"url", "what", …}'`
 * prints JSON. `what` is `keys` (ms from each key to the pixel it changed), `frames` (pictures a
 * second) or `first` (when the first picture was there, ms of the clock: it goes to the address on
 * its standard input as soon as there is one). The page's canvas is looked at the same way whoever
 * shows it.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';

const tests = path.join(import.meta.dirname, '..', 'ui-tests', 'package.json');
const { chromium } = createRequire(tests)('@playwright/test');
const told = JSON.parse(process.argv[2]);

const browser = await chromium.launch({
  executablePath: process.env.VCE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu']
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(told.url);
if (told.what === 'first') {
  const seen = new Promise(resolve => page.exposeFunction('vceSeen', resolve));
  await page.addInitScript(watchForPicture, told.at);
  console.log('[]');
  for await (const address of createInterface(process.stdin)) {
    await page.goto(address, { waitUntil: 'commit' });
    break;
  }
  console.log(JSON.stringify([await seen]));
  await browser.close();
  process.exit();
}
const canvas = page.locator('canvas').first();
await canvas.waitFor();
await page.waitForFunction(
  at => {
    const shown = document.querySelector('canvas');
    if (!shown?.width) return false;
    const [r, g, b] = shown.getContext('2d').getImageData(at, at, 1, 1).data;
    return r + g + b > 0;
  },
  told.at
);
// The screen has taken the size of the page by then, where it does that.
await page.waitForTimeout(1000);
await canvas.click({ position: { x: 300, y: 300 } });

const result = [];
if (told.what === 'keys') {
  await page.evaluate(at => {
    const shown = document.querySelector('canvas');
    const context = shown.getContext('2d', { willReadFrequently: true });
    const look = () => context.getImageData(at, at, 1, 1).data.join();
    const turns = new MessageChannel();
    let before = '';
    let began = 0;
    let seen = null;
    turns.port1.onmessage = () => {
      if (look() !== before) {
        seen?.(performance.now() - began);
      } else {
        turns.port2.postMessage(0);
      }
    };
    window.nextChange = () => new Promise(resolve => (seen = resolve));
    window.addEventListener(
      'keydown',
      event => {
        before = look();
        began = event.timeStamp;
        turns.port2.postMessage(0);
      },
      { capture: true }
    );
  }, told.at);
  for (let press = 0; press < told.times; press += 1) {
    const change = page.evaluate(() => window.nextChange());
    await page.keyboard.press('x');
    result.push(await change);
    // Not in step with the screen's own pace.
    await page.waitForTimeout(20 + Math.random() * 30);
  }
} else {
  result.push(
    await page.evaluate(
      ({ at, seconds }) =>
        new Promise(resolve => {
          const context = document.querySelector('canvas').getContext('2d');
          const end = performance.now() + 1000 * seconds;
          let last = '';
          let frames = 0;
          const look = () => {
            const now = context.getImageData(at, at, 1, 1).data.join();
            frames += now !== last;
            last = now;
            performance.now() < end
              ? requestAnimationFrame(look)
              : resolve(frames / seconds);
          };
          look();
        }),
      told
    )
  );
}
console.log(JSON.stringify(result));
await browser.close();

/** In each page that is loaded: tell when the canvas shows something. */
function watchForPicture(at) {
  const look = () => {
    const shown = document.querySelector('canvas');
    const pixel = shown?.width && shown.getContext('2d').getImageData(at, at, 1, 1).data;
    if (pixel && pixel[0] + pixel[1] + pixel[2] > 0) {
      window.vceSeen(Date.now());
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
}
