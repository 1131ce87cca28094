/** Look like the JupyterLab around this page, light or dark; elsewhere as the system wishes. */
export function followTheme(): void {
  let around: HTMLElement | null = null;
  try {
    around = window.parent === window ? null : window.parent.document.body;
  } catch {
    // Framed by a page of somebody else.
  }
  if (!around?.dataset.jpThemeLight) {
    return;
  }
  const body = around;
  const draw = (): void => {
    document.documentElement.dataset.theme =
      body.dataset.jpThemeLight === 'false' ? 'dark' : 'light';
  };
  draw();
  new MutationObserver(draw).observe(body, {
    attributeFilter: ['data-jp-theme-light']
  });
}
