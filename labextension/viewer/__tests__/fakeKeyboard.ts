import type { Keys as KeysClass } from '../keyboard';

export type Stroke = readonly [keysym: number | undefined, down: boolean];

export interface IKeyboard {
  readonly field: HTMLTextAreaElement;
  readonly sent: Stroke[];
  readonly target: { key: jest.Mock; pasted: jest.Mock; leave: jest.Mock };
}

let platform = 'Linux x86_64';
Object.defineProperty(navigator, 'platform', { get: () => platform });

/** A field with the keys of a computer of some make, and what has been sent from it. */
export function plugIn(computer = 'Linux x86_64'): IKeyboard {
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
export function down(
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

export function up(
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
export function paste({ field }: IKeyboard, text: string): void {
  const event = new Event('paste', { cancelable: true });
  Object.assign(event, { clipboardData: { getData: () => text } });
  field.dispatchEvent(event);
}

/** Put letters together, as an input method or a dead key does. */
export function compose({ field }: IKeyboard, data: string): void {
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
