/** Fill the whole screen with this page, or no longer; keys of the system come here as well then. */
export async function wholeScreen(): Promise<void> {
  if (document.fullscreenElement) {
    await document.exitFullscreen();
    return;
  }
  await document.documentElement.requestFullscreen();
  const { keyboard } = navigator as {
    keyboard?: { lock?(): Promise<void> };
  };
  // In some browsers only, and there not within a frame.
  await keyboard?.lock?.().catch(() => undefined);
}
