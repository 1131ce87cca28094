/**
 * Call `stops` whenever the JupyterLab around this page learns that the program is being stopped: it
 * may have a question then, and somebody has to answer. In a browser tab of its own nobody tells.
 */
export function followStop(stops: () => void): void {
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
  new MutationObserver(() => {
    if (tab.dataset.vceState === 'stopping') {
      stops();
    }
  }).observe(tab, { attributeFilter: ['data-vce-state'] });
}
