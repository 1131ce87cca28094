import Keyboard from 'novnc/input/keyboard.js';
import keys from 'novnc/input/keysym.js';
import keysyms from 'novnc/input/keysymdef.js';
import { isIOS, isMac } from 'novnc/util/browser.js';

/** What stands in the field so that a key which deletes has something to delete. */
const FILLING = '_';

/** Where keys go. */
export interface IKeyTarget {
  /** A key goes down or up; `code` is its place on the keyboard, empty where it has none. */
  key(keysym: number, code: string, down: boolean): void;
  /** Text was pasted; called before the keys that paste it there. */
  pasted(text: string): void;
  /** The way out was pressed. */
  leave(): void;
}

/**
 * Keys of a text field that nobody sees, on their way to the program.
 *
 * A field, so that the browser puts accents and letters together (dead keys, input methods) and
 * shows its own keyboard on a touch screen: what comes out of that is sent as text. What a key
 * means is decided here, by the layout of this computer, and never by the program's.
 */
export class Keys {
  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly target: IKeyTarget
  ) {
    this._fill();
    const before = { capture: true };
    field.addEventListener('keydown', event => this._onKeyDown(event), before);
    field.addEventListener('keyup', event => this._onKeyUp(event), before);
    field.addEventListener('compositionend', event => {
      this._type(event.data);
      this._fill();
    });
    field.addEventListener('input', event =>
      this._onInput(event as InputEvent)
    );
    field.addEventListener('paste', event => this._onPaste(event));
    field.addEventListener('blur', () => this._release());

    this._keyboard = new Keyboard(field);
    this._keyboard.onkeyevent = (keysym, code, down) => {
      if (keysym) {
        this._send(keysym, code, down);
      }
    };
    this._keyboard.grab();
  }

  /** Press and release a key. */
  press(keysym: number, code = ''): void {
    this._send(keysym, code, true);
    this._send(keysym, code, false);
  }

  private _send(keysym: number, code: string, down: boolean): void {
    if (down) {
      this._held.add(keysym);
    } else {
      this._held.delete(keysym);
    }
    this.target.key(keysym, code, down);
  }

  private _onKeyDown(event: KeyboardEvent): void {
    const { code, key } = event;
    if (code === 'F6' && event.ctrlKey && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.target.leave();
    } else if (event.isComposing || key === 'Dead' || key === 'Process') {
      // What it will be is told when it is complete.
      event.stopImmediatePropagation();
    } else if (code === '' || key === 'Unidentified') {
      // A keyboard on a touch screen: the field sees what it types.
      event.stopImmediatePropagation();
    } else if (pastes(event)) {
      // Left to the browser, which is asked for no permission that way.
      event.stopImmediatePropagation();
      this._pastingByInsert = code === 'Insert';
    } else if (MAC && (code === 'MetaLeft' || code === 'MetaRight')) {
      // Cmd is to a Mac what Ctrl is to the program.
      event.stopImmediatePropagation();
      this._command = true;
      this._send(keys.XK_Control_L, 'ControlLeft', true);
    }
  }

  private _onKeyUp(event: KeyboardEvent): void {
    if (this._command && event.key === 'Meta') {
      event.stopImmediatePropagation();
      this._release();
    }
  }

  private _release(): void {
    // The other keys are released by noVNC's own keyboard when the window is left.
    this._keyboard.ungrab();
    this._keyboard.grab();
    if (this._command) {
      this._command = false;
      this._send(keys.XK_Control_L, 'ControlLeft', false);
    }
  }

  private _onInput(event: InputEvent): void {
    // What comes of putting letters together is told by the composition's end, in every browser.
    if (event.isComposing || event.inputType.includes('Composition')) {
      return;
    }
    if (event.inputType.startsWith('delete')) {
      this.press(keys.XK_BackSpace, 'Backspace');
    } else if (event.inputType.startsWith('insertLine')) {
      this.press(keys.XK_Return, 'Enter');
    } else if (event.data) {
      this._type(event.data);
    }
    this._fill();
  }

  private _onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain');
    if (text) {
      this.target.pasted(text);
    }
    if (this._pastingByInsert) {
      // Shift is held, and would make another key of Ctrl+V.
      this._pastingByInsert = false;
      this.press(keys.XK_Insert, 'Insert');
    } else if (
      this._held.has(keys.XK_Control_L) ||
      this._held.has(keys.XK_Control_R)
    ) {
      // Whoever holds Ctrl may go on to another key with it.
      this.press('v'.charCodeAt(0), 'KeyV');
    } else {
      this._send(keys.XK_Control_L, 'ControlLeft', true);
      this.press('v'.charCodeAt(0), 'KeyV');
      this._send(keys.XK_Control_L, 'ControlLeft', false);
    }
  }

  private _type(text: string): void {
    for (const character of text) {
      this.press(keysyms.lookup(character.codePointAt(0) ?? 0));
    }
  }

  private _fill(): void {
    this.field.value = FILLING;
    this.field.setSelectionRange(1, 1);
  }

  private readonly _keyboard: Keyboard;
  private readonly _held = new Set<number>();
  private _command = false;
  private _pastingByInsert = false;
}

const MAC = isMac() || isIOS();

function pastes(event: KeyboardEvent): boolean {
  const { altKey, code, ctrlKey, key, metaKey, shiftKey } = event;
  const held = MAC ? metaKey : ctrlKey && !metaKey;
  return (
    (held && !altKey && !shiftKey && key.toLowerCase() === 'v') ||
    (code === 'Insert' && shiftKey && !ctrlKey && !altKey)
  );
}
