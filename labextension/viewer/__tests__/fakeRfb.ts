/** Stands in for noVNC: a screen of its own size in a tab of another, which may ask for it. */
export default class FakeRFB extends EventTarget {
  static readonly messages = { fbUpdateRequest: jest.fn() };
  viewOnly = false;
  resizeSession = false;
  tab = { w: 800, h: 600 };
  asked: { w: number; h: number }[] = [];
  _FBU = { x: 0 };
  _fbWidth = 800;
  _fbHeight = 600;
  _display = { scale: 1 };
  _canvas = document.createElement('canvas');
  _sock = 'socket';

  _screenSize(): { w: number; h: number } {
    return this.tab;
  }

  _requestRemoteResize(): void {
    this.asked.push(this._screenSize());
  }

  _updateScale(): void {
    const { w, h } = this._screenSize();
    this._display.scale = Math.min(w / this._fbWidth, h / this._fbHeight);
  }

  _handleExtendedDesktopSize(): boolean {
    return true;
  }

  _handleMessage(): void {
    // It would be read here.
  }
}
