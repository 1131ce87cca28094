import type { Say, Word } from './words';

/** The parts of the page. Every word in it comes from `words.ts`. */
export interface IPage {
  readonly screen: HTMLElement;
  readonly field: HTMLTextAreaElement;
  readonly status: HTMLElement;
  readonly problem: HTMLElement;
  readonly text: HTMLTextAreaElement;
  readonly clipboard: HTMLElement;
  readonly toolbar: HTMLElement;
}

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A button that says what it does; `help` is told to those who ask for more. */
export function makeButton(
  say: Say,
  word: Word,
  act: (button: HTMLButtonElement) => void = () => undefined,
  more: { help?: Word; pressed?: boolean } = {}
): HTMLButtonElement {
  const button = make('button', { type: 'button' }, say(word));
  if (more.help) {
    button.title = say(more.help);
  }
  if (more.pressed !== undefined) {
    button.setAttribute('aria-pressed', String(more.pressed));
  }
  button.addEventListener('click', () => act(button));
  return button;
}

/** Switch a button that can be pressed in; returns whether it is now. */
export function toggle(button: HTMLButtonElement): boolean {
  const pressed = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(pressed));
  return pressed;
}

/** Build the page; its buttons are added by whoever knows what they do. */
export function buildPage(say: Say): IPage {
  const status = make('p', {
    id: 'status',
    role: 'status',
    'aria-live': 'polite'
  });
  const toolbar = make('div', {
    id: 'toolbar',
    // No toolbar: Tab, and not the arrows, goes from button to button.
    role: 'group',
    'aria-label': say('toolbar')
  });
  const field = make('textarea', {
    id: 'keys',
    'aria-label': say('screen'),
    'aria-describedby': 'way-out',
    autocapitalize: 'off',
    autocomplete: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    rows: '1'
  });
  const screen = make('div', { id: 'screen' });
  const problem = make('div', { id: 'problem', role: 'alert', hidden: '' });
  const text = make('textarea', {
    id: 'clipboard-text',
    rows: '4',
    spellcheck: 'false'
  });
  const clipboard = make(
    'section',
    { id: 'clipboard', 'aria-label': say('clipboard'), hidden: '' },
    make('label', { for: 'clipboard-text' }, say('clipboard label')),
    make('p', {}, say('clipboard help')),
    text
  );
  const place = make('div', { id: 'status-place' }, status);
  const bar = make('header', {}, place, toolbar);
  const main = make(
    'main',
    {},
    field,
    screen,
    problem,
    clipboard,
    make('p', { id: 'way-out' }, say('way out'))
  );
  document.body.append(bar, main);
  return { screen, field, status, problem, text, clipboard, toolbar };
}
