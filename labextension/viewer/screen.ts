import RFB from 'novnc/rfb.js';

/** Below this (CSS px) a tab is hidden or being moved, and is no size for a desktop. */
const SMALLEST = 60;
/** Why a screen has another size: another viewer asked for it. */
const OTHER_VIEWER = 2;

/** The remote screen, drawn so that its pixels and those of this screen agree where they can. */
export class Screen extends RFB {
  /**
   * Whether the remote screen is to have the size of this view. The view that was used last leads;
   * others show the whole of it at whatever size they have.
   */
  get leads(): boolean {
    return this.resizeSession;
  }
  set leads(leads: boolean) {
    if (this.resizeSession !== leads) {
      this.resizeSession = leads;
    }
  }

  /** How many remote pixels stand for one CSS px. */
  get density(): number {
    return this._density;
  }
  set density(density: number) {
    this._density = density;
    this._requestRemoteResize();
    this._updateScale();
  }

  /** When anything last came from the server: ms, as `Date.now()` has them. */
  get heard(): number {
    return this._heard;
  }

  /** Ask for one pixel, which is answered at once even where nothing moves. */
  probe(): void {
    RFB.messages.fbUpdateRequest(this._sock, false, 0, 0, 1, 1);
  }

  protected override _handleMessage(): void {
    this._heard = Date.now();
    super._handleMessage();
  }

  protected override _requestRemoteResize(): void {
    const { w, h } = super._screenSize();
    if (w < SMALLEST || h < SMALLEST) {
      return;
    }
    this._asking = true;
    try {
      super._requestRemoteResize();
    } finally {
      this._asking = false;
    }
  }

  protected override _screenSize(): { w: number; h: number } {
    const size = super._screenSize();
    return this._asking
      ? {
          w: Math.floor(size.w * this.density),
          h: Math.floor(size.h * this.density)
        }
      : size;
  }

  protected override _updateScale(): void {
    super._updateScale();
    const { w, h } = this._screenSize();
    const spare = [
      w - this._fbWidth / this.density,
      h - this._fbHeight / this.density
    ];
    if (spare.every(room => room >= 0 && room < 1)) {
      // A share of a pixel that is left over must not blur all the others.
      this._display.scale = 1 / this.density;
    }
    const ratio = devicePixelRatio * this._display.scale;
    this._canvas.style.imageRendering =
      ratio > 1 && Number.isInteger(ratio) ? 'pixelated' : '';
  }

  protected override _handleExtendedDesktopSize(): boolean {
    const why = this._FBU.x;
    const done = super._handleExtendedDesktopSize();
    if (done && why === OTHER_VIEWER) {
      this.leads = false;
    }
    return done;
  }

  private _heard = Date.now();
  private _asking = false;
  private _density = 1;
}
