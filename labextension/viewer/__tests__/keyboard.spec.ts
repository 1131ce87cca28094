import keys from 'novnc/input/keysym.js';

import type { Keys as KeysClass } from '../keyboard';

const CTRL = keys.XK_Control_L;
const [V, A] = ['v', 'a'].map(letter => letter.charCodeAt(0));

type Stroke = readonly [keysym: number | undefined, down: boolean];

interface IKeyboard {
  readonly field: HTMLTextAreaElement;
  readonly sent: Stroke[];
  readonly target: { key: jest.Mock; pasted: jest.Mock; leave: jest.Mock };
}

let platform = 'Linux x86_64';
Object.defineProperty(navigator, 'platform', { get: () => platform });

/** A field with the keys of a computer of some make, and what has been sent from it. */
function plugIn(computer = 'Linux x86_64'): IKeyboard {
  platform = computer;
  const field = document.createElement('textarea');
  document.body.replaceChildren(field);
  const sent: Stroke[] = [];
  const target = {
    key: jest.fn((keysym: number, _code: string, down: boolean) =>
      sent.push([keysym, down])
    ),
    pasted: jest.fn(),
    leave: jest.fn()
  };
  jest.isolateModules(() => {
    const { Keys } = jest.requireActual<{ Keys: typeof KeysClass }>(
      '../keyboard'
    );
    new Keys(field, target);
  });
  field.focus();
  return { field, sent, target };
}

/** Press a key as a browser tells it; returns whether the browser does what it does with it. */
function down(
  { field }: IKeyboard,
  key: string,
  code: string,
  more: KeyboardEventInit = {}
): boolean {
  return field.dispatchEvent(
    new KeyboardEvent('keydown', {
      key,
      code,
      bubbles: true,
      cancelable: true,
      ...more
    })
  );
}

function up(
  { field }: IKeyboard,
  key: string,
  code: string,
  more: KeyboardEventInit = {}
): void {
  field.dispatchEvent(
    new KeyboardEvent('keyup', {
      key,
      code,
      bubbles: true,
      cancelable: true,
      ...more
    })
  );
}

/** Paste, as the browser does it after the keys for it. */
function paste({ field }: IKeyboard, text: string): void {
  const event = new Event('paste', { cancelable: true });
  Object.assign(event, { clipboardData: { getData: () => text } });
  field.dispatchEvent(event);
}

/** Put letters together, as an input method or a dead key does. */
function compose({ field }: IKeyboard, data: string): void {
  field.dispatchEvent(new CompositionEvent('compositionstart'));
  field.dispatchEvent(
    new InputEvent('input', {
      data,
      inputType: 'insertCompositionText',
      isComposing: true
    })
  );
  field.dispatchEvent(new CompositionEvent('compositionend', { data }));
}

describe('a key', () => {
  it.each([
    // What stands on the key decides, wherever it is: the layout is this computer's.
    ['British £', '£', 'Digit3', 0xa3],
    ['French a, where Q is elsewhere', 'a', 'KeyQ', 0x61],
    ['French é', 'é', 'Digit2', 0xe9],
    ['the euro', '€', 'KeyE', 0x20ac],
    ['Polish ł', 'ł', 'KeyL', 0x1b3],
    ['a Chinese letter', '長', 'KeyX', 0x01009577],
    ['Enter', 'Enter', 'Enter', keys.XK_Return],
    ['Tab', 'Tab', 'Tab', keys.XK_Tab],
    ['Escape', 'Escape', 'Escape', keys.XK_Escape]
  ])('goes to the program: %s', (_, key, code, keysym) => {
    const keyboard = plugIn();
    // And never to the browser or JupyterLab.
    expect(down(keyboard, key, code)).toBe(false);
    up(keyboard, key, code);
    expect(keyboard.sent).toEqual([
      [keysym, true],
      [keysym, false]
    ]);
  });

  it('goes there with Ctrl, Alt and Shift, and not to JupyterLab', () => {
    const keyboard = plugIn();
    const outside = jest.fn();
    document.body.addEventListener('keydown', outside);
    down(keyboard, 'Control', 'ControlLeft', { ctrlKey: true });
    down(keyboard, 'Shift', 'ShiftLeft', { ctrlKey: true, shiftKey: true });
    down(keyboard, 'C', 'KeyC', { ctrlKey: true, shiftKey: true });
    expect(keyboard.sent.map(([keysym]) => keysym)).toEqual([
      CTRL,
      0xffe1,
      0x43
    ]);
    expect(outside).not.toHaveBeenCalled();
    document.body.removeEventListener('keydown', outside);
  });

  it('is released when the field is left', () => {
    const keyboard = plugIn();
    down(keyboard, 'Alt', 'AltLeft', { altKey: true });
    keyboard.field.blur();
    expect(keyboard.sent).toEqual([
      [keys.XK_Alt_L, true],
      [keys.XK_Alt_L, false]
    ]);
  });

  it('AltGr of Windows is one key, not Ctrl and Alt', () => {
    const keyboard = plugIn('Win32');
    down(keyboard, 'Control', 'ControlLeft', { ctrlKey: true });
    down(keyboard, 'AltGraph', 'AltRight');
    down(keyboard, '@', 'Digit0');
    expect(keyboard.sent.map(([keysym]) => keysym)).toEqual([0xfe03, 0x40]);
  });
});

describe('accents', () => {
  it('of a dead key arrive as the letter they make', () => {
    const keyboard = plugIn();
    // Left to the browser, which puts them together.
    expect(down(keyboard, 'Dead', 'BracketLeft')).toBe(true);
    expect(down(keyboard, 'Process', 'KeyE', { isComposing: true })).toBe(true);
    compose(keyboard, 'ê');
    up(keyboard, 'Dead', 'BracketLeft');
    expect(keyboard.sent).toEqual([
      [0xea, true],
      [0xea, false]
    ]);
  });

  it('arrive once where the browser tells of them twice', () => {
    const keyboard = plugIn();
    down(keyboard, 'Dead', 'BracketLeft');
    compose(keyboard, 'ô');
    for (const inputType of [
      'insertCompositionText',
      'deleteCompositionText',
      'insertFromComposition'
    ]) {
      keyboard.field.dispatchEvent(
        new InputEvent('input', { inputType, data: 'ô' })
      );
    }
    expect(keyboard.sent).toHaveLength(2);
  });

  it('arrive where the next key has them already', () => {
    const keyboard = plugIn();
    down(keyboard, 'Dead', 'BracketLeft');
    expect(down(keyboard, 'ê', 'KeyE')).toBe(false);
    expect(keyboard.sent).toEqual([[0xea, true]]);
  });
});

describe('a keyboard on a touch screen', () => {
  const type = (keyboard: IKeyboard, inputType: string, data?: string) => {
    down(keyboard, 'Unidentified', '');
    keyboard.field.dispatchEvent(
      new InputEvent('input', { inputType, data: data ?? null })
    );
    return keyboard.sent
      .filter(([, isDown]) => isDown)
      .map(([keysym]) => keysym);
  };

  it('types, deletes and ends lines', () => {
    expect(type(plugIn(), 'insertText', 'hé')).toEqual([0x68, 0xe9]);
    expect(type(plugIn(), 'deleteContentBackward')).toEqual([
      keys.XK_BackSpace
    ]);
    expect(type(plugIn(), 'insertLineBreak')).toEqual([keys.XK_Return]);
  });

  it('always has something to delete', () => {
    const keyboard = plugIn();
    keyboard.field.value = '';
    type(keyboard, 'deleteContentBackward');
    expect(keyboard.field.value).not.toBe('');
  });
});

describe('paste', () => {
  it('gives the text, then the keys that paste it', () => {
    const keyboard = plugIn();
    paste(keyboard, 'words');
    expect(keyboard.target.pasted).toHaveBeenCalledWith('words');
    expect(keyboard.sent).toEqual([
      [CTRL, true],
      [V, true],
      [V, false],
      [CTRL, false]
    ]);
  });

  it('leaves Ctrl held for whoever goes on with it', () => {
    const keyboard = plugIn();
    down(keyboard, 'Control', 'ControlLeft', { ctrlKey: true });
    // Left to the browser, which pastes.
    expect(down(keyboard, 'v', 'KeyV', { ctrlKey: true })).toBe(true);
    paste(keyboard, 'words');
    up(keyboard, 'v', 'KeyV', { ctrlKey: true });
    down(keyboard, 'a', 'KeyA', { ctrlKey: true });
    expect(keyboard.sent).toEqual([
      [CTRL, true],
      [V, true],
      [V, false],
      [A, true]
    ]);
  });

  it('with Shift+Insert is that in the program, too', () => {
    const keyboard = plugIn();
    down(keyboard, 'Shift', 'ShiftLeft', { shiftKey: true });
    expect(down(keyboard, 'Insert', 'Insert', { shiftKey: true })).toBe(true);
    paste(keyboard, 'words');
    expect(keyboard.sent).toEqual([
      [0xffe1, true],
      [keys.XK_Insert, true],
      [keys.XK_Insert, false]
    ]);
  });

  it('of a terminal, Ctrl+Shift+V, is the program’s', () => {
    const keyboard = plugIn();
    expect(down(keyboard, 'V', 'KeyV', { ctrlKey: true, shiftKey: true })).toBe(
      false
    );
    expect(keyboard.sent).toEqual([[0x56, true]]);
  });
});

describe('a Mac', () => {
  const META = { metaKey: true };

  it('has Cmd for Ctrl', () => {
    const keyboard = plugIn('MacIntel');
    down(keyboard, 'Meta', 'MetaLeft', META);
    // It never tells that a key is up while Cmd is down.
    expect(down(keyboard, 'c', 'KeyC', META)).toBe(false);
    up(keyboard, 'Meta', 'MetaLeft');
    expect(keyboard.sent).toEqual([
      [CTRL, true],
      [0x63, true],
      [0x63, false],
      [CTRL, false]
    ]);
  });

  it('pastes with Cmd+V', () => {
    const keyboard = plugIn('MacIntel');
    down(keyboard, 'Meta', 'MetaLeft', META);
    expect(down(keyboard, 'v', 'KeyV', META)).toBe(true);
    paste(keyboard, 'words');
    up(keyboard, 'Meta', 'MetaLeft');
    expect(keyboard.sent).toEqual([
      [CTRL, true],
      [V, true],
      [V, false],
      [CTRL, false]
    ]);
  });

  it('releases Cmd when the field is left', () => {
    const keyboard = plugIn('MacIntel');
    down(keyboard, 'Meta', 'MetaRight', META);
    keyboard.field.blur();
    expect(keyboard.sent.at(-1)).toEqual([CTRL, false]);
  });

  it('elsewhere is the key with the window', () => {
    const keyboard = plugIn('Win32');
    down(keyboard, 'Meta', 'MetaLeft', { ...META, location: 1 });
    expect(keyboard.sent).toEqual([[0xffeb, true]]);
  });
});

describe('the way out', () => {
  it.each(['Linux x86_64', 'MacIntel'])('is Ctrl+F6 on %s', computer => {
    const keyboard = plugIn(computer);
    down(keyboard, 'Control', 'ControlLeft', { ctrlKey: true });
    expect(down(keyboard, 'F6', 'F6', { ctrlKey: true })).toBe(false);
    expect(keyboard.target.leave).toHaveBeenCalledTimes(1);
    expect(keyboard.sent).toEqual([[CTRL, true]]);
    keyboard.field.blur();
    expect(keyboard.sent.at(-1)).toEqual([CTRL, false]);
  });

  it('is no other key with F6', () => {
    const keyboard = plugIn();
    down(keyboard, 'F6', 'F6');
    up(keyboard, 'F6', 'F6');
    down(keyboard, 'F6', 'F6', { ctrlKey: true, shiftKey: true });
    expect(keyboard.target.leave).not.toHaveBeenCalled();
    expect(keyboard.sent).toHaveLength(3);
  });
});
