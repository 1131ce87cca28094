import keys from 'novnc/input/keysym.js';

import { compose, down, type IKeyboard, plugIn, up } from './fakeKeyboard';

const CTRL = keys.XK_Control_L;

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
