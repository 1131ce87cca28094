import {
  expect,
  type FrameLocator,
  type Locator,
  type Page
} from '@playwright/test';

export type Colour = readonly [number, number, number];

/** The page that shows the screen of a desktop program, in a frame or a browser tab. */
export class Desktop {
  constructor(private readonly place: Page | FrameLocator) {}

  get canvas(): Locator {
    return this.place.locator('#screen canvas');
  }

  get status(): Locator {
    return this.place.locator('#status');
  }

  get problem(): Locator {
    return this.place.locator('#problem');
  }

  /** The field that takes the keys. */
  get keys(): Locator {
    return this.place.getByRole('textbox', {
      name: /go to the program here|vont au programme/
    });
  }

  get sharedText(): Locator {
    return this.place.getByLabel(/^Text(e partagé avec| shared with)/);
  }

  button(name: string): Locator {
    return this.place.getByRole('button', { name, exact: true });
  }

  /** Expect the program's screen to be there. */
  async expectShown(): Promise<void> {
    await expect(
      this.place.locator('body[data-screen="connected"]')
    ).toBeVisible();
    await expect(this.canvas).toBeVisible();
  }

  /** Expect Daisyworld to have drawn itself, and not only its screen to be there. */
  async expectDrawn(): Promise<void> {
    // The sun is of some yellow, with all the red there is.
    await expect
      .poll(async () => (await this.pixel(...DAISYWORLD.sun))[0])
      .toBe(255);
  }

  /** Expect the thumb of Daisyworld's slider to come to rest where it was put, but for a pixel or two. */
  async expectThumb(x: number): Promise<void> {
    await expect
      .poll(async () => Math.abs((await this.thumb())[0] - x))
      .toBeLessThanOrEqual(2);
  }

  /** Expect the caret to blink in Daisyworld's notes, which are empty: by then keys go there. */
  async expectCaret(): Promise<void> {
    await expect
      .poll(async () => Math.max(...(await this.pixel(...DAISYWORLD.caret))), {
        // Often enough to see it while it is there.
        intervals: [70]
      })
      .toBeLessThan(80);
  }

  /** Break its connection for good, where the test has made that possible (`cutSockets`). */
  async cut(): Promise<void> {
    await this.cutSockets(true);
  }

  /** Let its connection come about again. */
  async mend(): Promise<void> {
    await this.cutSockets(false);
  }

  private async cutSockets(forGood: boolean): Promise<void> {
    await this.status.evaluate((_, forGood) => {
      (window as unknown as { cutSockets(forGood: boolean): void }).cutSockets(
        forGood
      );
    }, forGood);
  }

  /** One pixel of the remote screen as it is drawn here. */
  async pixel(x: number, y: number): Promise<Colour> {
    return this.canvas.evaluate(
      (canvas, at) => {
        const context = (canvas as HTMLCanvasElement).getContext('2d');
        const [r = 0, g = 0, b = 0] =
          context?.getImageData(...at, 1, 1).data ?? [];
        return [r, g, b] as const;
      },
      [x, y] as const
    );
  }

  /**
   * Most of the picture of the remote screen, for comparison with another: where Daisyworld has its
   * buttons, and no pointer is left.
   */
  async picture(): Promise<string> {
    return this.canvas.evaluate(async canvas => {
      const source = canvas as HTMLCanvasElement;
      const copy = document.createElement('canvas');
      copy.width = 250;
      copy.height = 300;
      copy.getContext('2d')?.drawImage(source, 0, -150);
      const bytes = new TextEncoder().encode(copy.toDataURL());
      const digest = await crypto.subtle.digest('SHA-256', bytes);
      return new Uint32Array(digest).join(' ');
    });
  }

  /** Where the thumb of Daisyworld's slider is by now: nothing on its line is brighter. */
  async thumb(): Promise<[number, number]> {
    const [, y] = DAISYWORLD.thumb;
    const x = await this.canvas.evaluate((canvas, line) => {
      const data = (canvas as HTMLCanvasElement)
        .getContext('2d')
        ?.getImageData(0, line, 240, 1).data;
      const blues = [...(data ?? [])].filter((_, index) => index % 4 === 2);
      const brightest = Math.max(...blues);
      return (blues.indexOf(brightest) + blues.lastIndexOf(brightest)) / 2;
    }, y);
    return [Math.round(x), y];
  }

  /** How large the remote screen is. */
  async size(): Promise<[number, number]> {
    return this.canvas.evaluate(canvas => {
      const { width, height } = canvas as HTMLCanvasElement;
      return [width, height];
    });
  }

  async click(x: number, y: number): Promise<void> {
    await this.canvas.click({ position: { x, y } });
  }

  /** Drag by mouse, as a hand does it: not in one leap. */
  async drag(
    page: Page,
    from: [number, number],
    to: [number, number]
  ): Promise<void> {
    const box = await this.canvas.boundingBox();
    expect(box).not.toBeNull();
    const { x, y } = box ?? { x: 0, y: 0 };
    await page.mouse.move(x + from[0], y + from[1]);
    await page.mouse.down();
    await page.mouse.move(x + to[0], y + to[1], { steps: 8 });
    await page.mouse.up();
  }
}

/** Where things are in Daisyworld's window, which fills the screen from its upper left corner. */
export const DAISYWORLD = {
  sun: [130, 30],
  thumb: [107, 109],
  slider: [200, 109],
  save: [130, 214],
  notes: [130, 400],
  /** Where it is while nothing is written. */
  caret: [11, 289]
} as const satisfies Record<string, readonly [number, number]>;
