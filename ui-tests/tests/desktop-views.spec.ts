import { DAISYWORLD } from '../pages/desktop';
import { DESKTOPS } from '../support/desktops';
import { buttonsOf, keysOf } from '../support/rfb';
import { SleepyNetwork } from '../support/sleepyNetwork';
import { expect, test } from '../support/test';
import { look } from '../support/views';

test.use({ serverOptions: DESKTOPS });

type Place = readonly [number, number];

test('fingers point, drag, ask for menus and scroll', async ({
  browser,
  server
}) => {
  const touch = { hasTouch: true };
  await look(browser, server, touch, async ({ desktop, hands, page, sent }) => {
    const box = await desktop.canvas.boundingBox();
    const at = ([x, y]: Place): { x: number; y: number } => ({
      x: (box?.x ?? 0) + x,
      y: (box?.y ?? 0) + y
    });
    const put = (
      type: 'touchStart' | 'touchMove' | 'touchEnd',
      ...fingers: Place[]
    ): Promise<unknown> =>
      hands.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: fingers.map((finger, id) => ({ ...at(finger), id }))
      });
    const sun = async (): Promise<number> =>
      (await desktop.pixel(...DAISYWORLD.sun))[1];

    await test.step('a finger that moves drags', async () => {
      const before = await sun();
      const thumb = await desktop.thumb();
      // To where there is room, whoever has moved it before.
      const way = thumb[0] < 120 ? 8 : -8;
      await put('touchStart', thumb);
      for (let step = 1; step <= 8; step += 1) {
        await put('touchMove', [thumb[0] + step * way, thumb[1]]);
      }
      await put('touchEnd');
      await desktop.expectThumb(thumb[0] + 8 * way);
      await expect.poll(sun).not.toBe(before);
    });

    await test.step('a tap is a click', async () => {
      sent.length = 0;
      const [before] = await desktop.thumb();
      const { x, y } = at(DAISYWORLD.slider);
      await page.touchscreen.tap(x, y);
      await expect
        .poll(async () => (await desktop.thumb())[0])
        .not.toBe(before);
      expect(buttonsOf(sent)).toContain(1);
      // And no wish for a keyboard that would cover half of the screen.
      await expect(desktop.keys).not.toBeFocused();
    });

    await test.step('one that stays is the right button', async () => {
      sent.length = 0;
      await put('touchStart', DAISYWORLD.notes);
      await expect.poll(() => buttonsOf(sent)).toContain(4);
      await put('touchEnd');
      await expect.poll(() => buttonsOf(sent).at(-1)).toBe(0);
    });

    await test.step('two scroll', async () => {
      sent.length = 0;
      const fingers = (y: number): Place[] => [
        [100, y],
        [160, y]
      ];
      await put('touchStart', ...fingers(500));
      for (let y = 490; y >= 300; y -= 10) {
        await put('touchMove', ...fingers(y));
      }
      await put('touchEnd');
      await expect.poll(() => buttonsOf(sent)).toContain(16);
    });

    await test.step('two that part magnify, as Ctrl and the wheel', async () => {
      sent.length = 0;
      await put('touchStart', [290, 400], [310, 400]);
      for (let half = 20; half <= 200; half += 10) {
        await put('touchMove', [300 - half, 400], [300 + half, 400]);
      }
      await put('touchEnd');
      await expect.poll(() => buttonsOf(sent)).toContain(8);
      expect(keysOf(sent)).toContain('ffe3');
    });

    await test.step('a button brings the keyboard', async () => {
      await desktop.button('On-screen keyboard').tap();
      await expect(desktop.keys).toBeFocused();
    });
  });
});

test('who only looks sends nothing, and two who look see the same', async ({
  browser,
  server
}) => {
  await look(browser, server, {}, async ({ desktop, page, sent }) => {
    const larger = { viewport: { width: 1200, height: 800 } };
    await look(browser, server, larger, async other => {
      const expectSamePicture = (): Promise<void> =>
        expect
          .poll(
            async () =>
              (await desktop.picture()) === (await other.desktop.picture())
          )
          .toBe(true);
      await other.desktop.click(...DAISYWORLD.sun);
      await test.step('they agree on size and picture', async () => {
        await expect
          .poll(async () => (await other.desktop.size())[0])
          .toBe(larger.viewport.width);
        await expect
          .poll(async () => (await desktop.size())[0])
          .toBe(larger.viewport.width);
        await expectSamePicture();
      });

      await test.step('one only looks', async () => {
        await desktop.button('Look only').click();
        await expect(desktop.status).toContainText('You only look');
        sent.length = 0;
        const before = await desktop.picture();
        await desktop.drag(page, [...DAISYWORLD.thumb], [...DAISYWORLD.slider]);
        await page.mouse.wheel(0, 400);
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('Control+v');
        await page.setViewportSize({ width: 900, height: 600 });
        await desktop.button('Clipboard').click();
        await desktop.sharedText.fill('not for it');
        await desktop.button('Give to Daisyworld').click();
        await expect(desktop.status).toContainText('nothing was given');
        await desktop.button('Close').click();
        await desktop.button('Keys').click();
        await desktop.button('Alt+F4').click();
        await expect(desktop.status).toContainText('You only look');
        expect(new Set(sent.map(({ kind }) => kind))).not.toContain('unknown');
        expect(sent.filter(({ kind }) => kind !== 'other')).toEqual([]);
        expect(await desktop.picture()).toBe(before);
      });

      await test.step('and sees what the other does', async () => {
        const before = await desktop.picture();
        const thumb = await other.desktop.thumb();
        await other.desktop.drag(other.page, thumb, [thumb[0] - 30, thumb[1]]);
        await other.desktop.expectThumb(thumb[0] - 30);
        await expect.poll(() => desktop.picture()).not.toBe(before);
        await expectSamePicture();
      });
    });

    await test.step('until it works again, at the size it has by now', async () => {
      await desktop.button('Look only').click();
      await expect(desktop.status).toContainText('work in Daisyworld again');
      await expect.poll(async () => (await desktop.size())[0]).toBe(900);
    });
  });
});

test('a screen of high density shows sharp edges, or every pixel', async ({
  browser,
  server
}) => {
  const dense = { deviceScaleFactor: 2 };
  await look(browser, server, dense, async ({ desktop, page }) => {
    const room = await page
      .locator('#screen')
      .evaluate(screen => screen.getBoundingClientRect().toJSON() as DOMRect);
    const pixels = (density: number): number[] =>
      [room.width, room.height].map(length => Math.floor(length * density));
    await expect.poll(() => desktop.size()).toEqual(pixels(1));
    await expect(desktop.canvas).toHaveCSS('image-rendering', 'pixelated');
    await desktop.button('Every pixel').click();
    await expect.poll(() => desktop.size()).toEqual(pixels(2));
    // One pixel of the program is one of the screen.
    await expect
      .poll(async () => (await desktop.canvas.boundingBox())?.width)
      .toBe(room.width);
    await expect(desktop.canvas).toHaveCSS('image-rendering', 'auto');
    await desktop.button('Every pixel').click();
    await expect.poll(() => desktop.size()).toEqual(pixels(1));
  });
});

test('after a sleep without a network it says so, and comes back by itself', async ({
  browser,
  server
}) => {
  const network = await SleepyNetwork.to(server.url);
  try {
    await look(
      browser,
      server,
      {},
      async ({ desktop, page }) => {
        network.fallSilent();
        await page.clock.fastForward('02:00:00');
        await expect(desktop.status).toContainText(
          'The Jupyter server cannot be reached. Daisyworld goes on'
        );
        network.wake();
        await desktop.expectShown();
        await desktop.click(...DAISYWORLD.sun);
        await expect(desktop.status).toContainText('Keys go to Daisyworld');
      },
      ({ page }) => page.clock.install(),
      network.through(server.url)
    );
  } finally {
    await network.remove();
  }
});
