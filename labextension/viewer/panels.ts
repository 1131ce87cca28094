/** A part of the page that a button shows and hides. */
export class Panel {
  constructor(
    private readonly button: HTMLButtonElement,
    private readonly panel: HTMLElement
  ) {
    button.setAttribute('aria-expanded', 'false');
    button.setAttribute('aria-controls', panel.id);
    button.addEventListener('click', () =>
      panel.hidden ? this._show() : this._hide()
    );
    panel.addEventListener('keydown', event => {
      if (event.key === 'Escape' && !event.isComposing) {
        event.preventDefault();
        this.close();
      }
    });
  }

  /** Hide it, and lead whoever was in it back to its button. */
  close(): void {
    this._hide();
    this.button.focus();
  }

  private _show(): void {
    this.panel.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    this.panel.querySelector<HTMLElement>('textarea, button')?.focus();
  }

  private _hide(): void {
    this.panel.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
  }
}
