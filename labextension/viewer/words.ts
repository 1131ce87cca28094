/**
 * Every sentence of this page, in one place: `say` fills in the names in braces. A translation is a
 * file in `locale`, from these sentences to its own.
 */
export const ENGLISH = {
  screen: '{title}: your keyboard and mouse go to the program here',
  'way out': 'Press Ctrl+F6 to leave the program with the keyboard.',
  toolbar: 'Around {title}',
  connecting: 'Opening the screen of {title} …',
  connected: 'The screen of {title} is shown.',
  inside: 'Keys go to {title}. Ctrl+F6 leaves it.',
  outside: 'Keys stay on this page. Tab, or a click into {title}, goes back.',
  paused: 'Not being looked at: {title} goes on, its screen is not sent.',
  again: 'The connection was lost. {title} still runs. Connecting again …',
  unreachable:
    'The Jupyter server cannot be reached. {title} goes on there if it runs. Trying again …',
  'logged out':
    'You have been logged out, or may not use {title}. Reload this page to log in again.',
  starting: '{title} is being started. {reason}',
  crashed:
    '{title} ended unexpectedly and has been started again. What had not been saved in it is lost; its log in the VCE panel may say why.',
  stopping: '{title} is being stopped.',
  asked:
    '{title} is being stopped. If it asks something, answer now: half a minute later it ends all the same.',
  question:
    '{title} was asked to close. Answer its question here: it stays open until you do.',
  stopped: '{title} is not running.',
  failed: '{title} is not running: something went wrong.',
  silent: '{title} runs and does not answer just now. Trying again …',
  start: 'Start {title} again',
  clipboard: 'Clipboard',
  'clipboard label': 'Text shared with {title}',
  'clipboard help':
    'What is copied in {title} appears here. What you paste or type here can be pasted in {title}, after you have pressed Give.',
  give: 'Give to {title}',
  take: 'Copy to this computer',
  close: 'Close',
  given: 'The text is in the clipboard of {title}.',
  'not given':
    'The text could not be given to {title}. It is kept here: try again when its screen is shown.',
  'given by nobody':
    'You only look at {title}, so nothing was given to it. Switch off Look only first.',
  taken: 'The text is in the clipboard of this computer.',
  copied: 'Copied from {title} to the clipboard of this computer.',
  'not copied':
    'This browser does not let {title} copy by itself. The text is under Clipboard.',
  'not taken': 'This browser forbids it. Press Ctrl+C: the text is selected.',
  'look only': 'Look only',
  looking: 'You only look at {title} now. Keys and mouse do nothing in it.',
  working: 'Keys and mouse work in {title} again.',
  keys: 'Keys',
  'keys help':
    'Press a key that your keyboard, browser or system keeps to itself',
  keyboard: 'On-screen keyboard',
  sharp: 'Every pixel',
  'sharp help':
    'Uses every pixel of this screen: sharper, and smaller where {title} is not made for it',
  'whole screen': 'Full screen',
  'whole screen help':
    'Keys that the browser keeps to itself go to {title} as well, where it can'
} as const;

export type Word = keyof typeof ENGLISH;

/** A language: its sentences by the English ones. */
export type Catalogue = Readonly<Record<string, string>>;

/** Gives a sentence with its names filled in. */
export type Say = (word: Word, more?: Record<string, string>) => string;

/** Say things of a program in a language; what it does not have stays English. */
export function saying(title: string, catalogue: Catalogue = {}): Say {
  return (word, more = {}) =>
    (catalogue[ENGLISH[word]] ?? ENGLISH[word])
      .replace(/\{(\w+)\}/g, (_, name: string) =>
        name === 'title' ? title : (more[name] ?? '')
      )
      .trim();
}
