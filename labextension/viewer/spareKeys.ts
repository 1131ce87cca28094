import keys from 'novnc/input/keysym.js';

import type { Say } from './words';

/** A key: what it means, and its place on the keyboard. */
type Key = readonly [keysym: number, code: string];

const ALT: Key = [keys.XK_Alt_L, 'AltLeft'];
const CTRL: Key = [keys.XK_Control_L, 'ControlLeft'];
const TAB: Key = [keys.XK_Tab, 'Tab'];

/** Keys that many a keyboard, browser or system does not let through. */
const SPARE_KEYS: readonly (readonly [string, readonly Key[]])[] = [
  ['Esc', [[keys.XK_Escape, 'Escape']]],
  ['Tab', [TAB]],
  ['Alt+F4', [ALT, [keys.XK_F4, 'F4']]],
  ['Alt+Tab', [ALT, TAB]],
  ['Ctrl+W', [CTRL, [0x77, 'KeyW']]],
  ['Ctrl+N', [CTRL, [0x6e, 'KeyN']]],
  ['Ctrl+T', [CTRL, [0x74, 'KeyT']]]
];

/**
 * Build the panel with a button for each of these keys. `send` passes on each key's way down and
 * up; `done` is called when a stroke is over.
 */
export function buildSpareKeys(
  say: Say,
  send: (keysym: number, code: string, down: boolean) => void,
  done: () => void
): HTMLElement {
  const panel = document.createElement('div');
  panel.id = 'spare-keys';
  panel.hidden = true;
  panel.setAttribute('role', 'group');
  panel.setAttribute('aria-label', say('keys help'));
  for (const [name, stroke] of SPARE_KEYS) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = name;
    button.addEventListener('click', () => {
      stroke.forEach(([keysym, code]) => send(keysym, code, true));
      stroke
        .toReversed()
        .forEach(([keysym, code]) => send(keysym, code, false));
      done();
    });
    panel.append(button);
  }
  return panel;
}
