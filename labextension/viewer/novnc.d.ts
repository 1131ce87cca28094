/** What we use of noVNC, which comes without types. Names that begin with _ are its own affair. */

declare module 'novnc/rfb.js' {
  export default class RFB extends EventTarget {
    constructor(
      target: HTMLElement,
      url: string,
      options?: { shared?: boolean; wsProtocols?: string[] }
    );
    viewOnly: boolean;
    scaleViewport: boolean;
    resizeSession: boolean;
    focusOnClick: boolean;
    showDotCursor: boolean;
    background: string;
    qualityLevel: number;
    compressionLevel: number;
    disconnect(): void;
    sendKey(keysym: number, code: string, down?: boolean): void;
    clipboardPasteFrom(text: string): void;
    static readonly messages: {
      fbUpdateRequest(
        sock: unknown,
        incremental: boolean,
        x: number,
        y: number,
        w: number,
        h: number
      ): void;
    };
    protected readonly _sock: unknown;
    protected _handleMessage(): void;
    protected _screenSize(): { w: number; h: number };
    protected _requestRemoteResize(): void;
    protected _updateScale(): void;
    protected _handleExtendedDesktopSize(): boolean;
    protected readonly _FBU: { readonly x: number };
    protected readonly _fbWidth: number;
    protected readonly _fbHeight: number;
    protected readonly _display: { scale: number };
    protected readonly _canvas: HTMLCanvasElement;
  }
}

declare module 'novnc/input/keyboard.js' {
  export default class Keyboard {
    constructor(target: HTMLElement);
    onkeyevent: (keysym: number | null, code: string, down: boolean) => void;
    grab(): void;
    ungrab(): void;
  }
}

declare module 'novnc/input/keysymdef.js' {
  const keysyms: { lookup(codepoint: number): number };
  export default keysyms;
}

declare module 'novnc/input/keysym.js' {
  const keys: {
    readonly XK_Alt_L: number;
    readonly XK_BackSpace: number;
    readonly XK_Control_L: number;
    readonly XK_Control_R: number;
    readonly XK_Delete: number;
    readonly XK_Escape: number;
    readonly XK_F4: number;
    readonly XK_Insert: number;
    readonly XK_Return: number;
    readonly XK_Tab: number;
  };
  export default keys;
}

declare module 'novnc/util/browser.js' {
  export function isMac(): boolean;
  export function isIOS(): boolean;
}
