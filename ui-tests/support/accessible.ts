import AxeBuilder from '@axe-core/playwright';
import { expect, type Frame, type Page } from '@playwright/test';

/** An animation that is no longer than this (ms) is waited for. */
const BRIEF = 2_000;

/**
 * Expect axe to find nothing in the way of anybody: on the whole page, or in the parts selected.
 * A part within frames is a list: the frames' selectors from outside in, then its own.
 */
export async function expectAccessible(
  page: Page,
  ...parts: (string | string[])[]
): Promise<void> {
  // What is still on its way in may be half transparent. What goes on, such as a bar, is looked at.
  await page.evaluate(async brief => {
    const passing = document
      .getAnimations()
      .filter(
        ({ effect, playState }) =>
          playState === 'running' &&
          Number(effect?.getComputedTiming().endTime) <= brief
      );
    await Promise.allSettled(passing.map(({ finished }) => finished));
  }, BRIEF);
  let builder = patient(new AxeBuilder({ page })).options({
    // Of WCAG 2.2, and off by itself.
    rules: { 'target-size': { enabled: true } }
  });
  for (const part of parts) {
    builder = builder.include(part);
  }
  const { violations, passes } = await builder.analyze();
  expect(passes, 'something was there to look at').not.toHaveLength(0);
  expect(
    violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => ({
        id,
        help,
        target,
        failureSummary
      }))
    )
  ).toEqual([]);
}

/** How axe gets into the frames of a page, of which its type says nothing. */
interface Injecting {
  inject(frames: Frame[], shouldThrow?: boolean): Promise<void>;
  script(): string;
  axeConfigure(): Promise<string>;
}

/** Have axe wait for a frame; by itself, it passes one over in silence that is not quick (1 s). */
function patient(builder: AxeBuilder): AxeBuilder {
  const axe = builder as unknown as Injecting;
  axe.inject = async (frames, shouldThrow) => {
    for (const frame of frames) {
      try {
        await frame.evaluate(axe.script());
        await frame.evaluate(await axe.axeConfigure());
      } catch (reason) {
        if (shouldThrow) {
          throw reason;
        }
      }
    }
  };
  return builder;
}
