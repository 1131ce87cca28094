/**
 * Call `stops` whenever the JupyterLab around this page learns that the program is being stopped: it
 * may have a question then, and somebody has to answer. Call `asks` when it is known to have one
 * that its stop waits for, and when that is so no longer. In a browser tab of its own nobody tells.
 */
export function followStop(
  stops: () => void,
  asks: (whether: boolean) => void
): void {
  let around: HTMLElement | null = null;
  try {
    around = window.frameElement?.closest('[data-vce-state]') ?? null;
  } catch {
    // Framed by a page of somebody else.
  }
  if (!around) {
    return;
  }
  const tab = around;
  let asked = false;
  new MutationObserver(() => {
    if (tab.dataset.vceState === 'stopping') {
      stops();
    }
    const waits = tab.dataset.vceWaits === 'answer';
    if (waits !== asked) {
      asked = waits;
      asks(waits);
    }
  }).observe(tab, { attributeFilter: ['data-vce-state', 'data-vce-waits'] });
}
