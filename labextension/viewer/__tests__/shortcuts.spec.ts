import keys from 'novnc/input/keysym.js';

import { down, paste, plugIn, up } from './fakeKeyboard';

const CTRL = keys.XK_Control_L;
const [V, A] = ['v', 'a'].map(letter => letter.charCodeAt(0));

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
