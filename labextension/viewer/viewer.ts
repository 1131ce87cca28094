import keys from 'novnc/input/keysym.js';

import { copyHere, copySelected, readHere } from './clipboard';
import { Connection, type Situation } from './connection';
import { Keys } from './keyboard';
import { buildPage, makeButton, toggle } from './page';
import type { Screen } from './screen';
import { askStatus, type IStatus } from './service';
import { followTheme } from './theme';
import { saying, type Word } from './words';

/** What the server has put into the page. */
interface IFacts {
  readonly name: string;
  readonly title: string;
  readonly fits: boolean;
  readonly scale: number;
  readonly service: string;
  readonly socket: string;
}

/** Keys that many a keyboard, browser or system does not let through. */
const SPARE_KEYS: readonly (readonly [
  string,
  readonly (readonly [number, string])[]
])[] = [
  ['Esc', [[keys.XK_Escape, 'Escape']]],
  ['Tab', [[keys.XK_Tab, 'Tab']]],
  [
    'Alt+F4',
    [
      [keys.XK_Alt_L, 'AltLeft'],
      [keys.XK_F4, 'F4']
    ]
  ],
  [
    'Alt+Tab',
    [
      [keys.XK_Alt_L, 'AltLeft'],
      [keys.XK_Tab, 'Tab']
    ]
  ],
  [
    'Ctrl+W',
    [
      [keys.XK_Control_L, 'ControlLeft'],
      [0x77, 'KeyW']
    ]
  ],
  [
    'Ctrl+N',
    [
      [keys.XK_Control_L, 'ControlLeft'],
      [0x6e, 'KeyN']
    ]
  ],
  [
    'Ctrl+T',
    [
      [keys.XK_Control_L, 'ControlLeft'],
      [0x74, 'KeyT']
    ]
  ]
];

const STATE_WORDS: Record<IStatus['state'], Word> = {
  ready: 'again',
  unresponsive: 'silent',
  starting: 'starting',
  backoff: 'starting',
  stopping: 'stopping',
  stopped: 'stopped',
  failed: 'failed',
  unavailable: 'failed',
  unreachable: 'unreachable',
  'logged out': 'logged out'
};
const AT_REST: readonly IStatus['state'][] = [
  'stopped',
  'failed',
  'unavailable'
];

const facts = JSON.parse(
  document.getElementById('facts')?.textContent ?? '{}'
) as IFacts;
const say = saying(facts.title);
followTheme();
const page = buildPage(say);
const { field, text } = page;

let looksOnly = false;
let sharp = false;
let shared = '';
let known: number | undefined;

function tell(word: Word, more?: Record<string, string>): void {
  const words = say(word, more);
  if (page.status.textContent !== words) {
    page.status.textContent = words;
  }
}

// -- the screen ---------------------------------------------------------------------------------

function density(): number {
  return sharp ? Math.max(devicePixelRatio, facts.scale) : facts.scale;
}

function prepare(screen: Screen): void {
  screen.focusOnClick = false;
  screen.showDotCursor = true;
  screen.background = 'transparent';
  screen.qualityLevel = 8;
  screen.scaleViewport = true;
  screen.viewOnly = looksOnly;
  screen.density = density();
  screen.leads = facts.fits;
  screen.addEventListener('clipboard', event => {
    void received((event as CustomEvent<{ text: string }>).detail.text);
  });
}

function use(): void {
  const screen = connection.screen;
  if (screen && facts.fits && !looksOnly) {
    screen.leads = true;
  }
}

/** Say so where the program that is shown is not the one that was shown before. */
function noteRestarts({ restarts }: IStatus): void {
  if (restarts !== undefined) {
    if (known !== undefined && restarts > known) {
      tell('crashed');
    }
    known = restarts;
  }
}

function draw(situation: Situation): void {
  document.body.dataset.screen = situation.how;
  page.problem.hidden = true;
  page.problem.replaceChildren();
  if (situation.how === 'connected') {
    void askStatus(facts.service).then(noteRestarts);
  }
  if (situation.how !== 'lost') {
    tell(
      situation.how === 'connected' && document.activeElement === field
        ? 'inside'
        : situation.how
    );
    return;
  }
  const { state, error } = situation.status;
  tell(STATE_WORDS[state], { reason: error?.message ?? '' });
  if (AT_REST.includes(state)) {
    for (const words of [
      error?.message ?? say(STATE_WORDS[state]),
      error?.hint
    ]) {
      if (words) {
        const line = document.createElement('p');
        line.textContent = words;
        page.problem.append(line);
      }
    }
    // The server's own page starts it, and leads back here.
    page.problem.append(makeButton(say, 'start', () => location.reload()));
    page.problem.hidden = false;
  }
}

const connection = new Connection(
  page.screen,
  {
    screen: new URL(facts.socket, location.href).href.replace(/^http/, 'ws'),
    service: facts.service
  },
  draw,
  prepare
);

// -- keys ---------------------------------------------------------------------------------------

const keyboard = new Keys(field, {
  key: (keysym, code, down) => connection.screen?.sendKey(keysym, code, down),
  pasted: give,
  leave: () => {
    page.toolbar.querySelector('button')?.focus();
    tell('outside');
  }
});

field.addEventListener('focus', () => {
  use();
  tell(looksOnly ? 'looking' : 'inside');
  void readHere().then(found => {
    if (found && found !== shared) {
      give(found);
    }
  });
});
page.screen.addEventListener('pointerdown', event => {
  use();
  // A finger that points is no wish for the keyboard that covers half of the screen.
  if (event.pointerType !== 'touch') {
    setTimeout(() => field.focus({ preventScroll: true }));
  }
});
addEventListener('focus', () => use());

// -- text both ways -----------------------------------------------------------------------------

function give(words: string): void {
  shared = text.value = words;
  connection.screen?.clipboardPasteFrom(words);
}

async function received(words: string): Promise<void> {
  if (words === shared) {
    return;
  }
  shared = text.value = words;
  tell(await copyHere(words));
}

page.clipboard.append(
  makeButton(say, 'give', () => {
    give(text.value);
    tell('given');
  }),
  makeButton(say, 'take', () => {
    void copyHere(text.value).then(how =>
      tell(how === 'copied' || copySelected(text) ? 'taken' : 'not taken')
    );
  }),
  makeButton(say, 'close', () => {
    page.clipboard.hidden = true;
    panels.clipboard.setAttribute('aria-expanded', 'false');
    panels.clipboard.focus();
  })
);

// -- buttons ------------------------------------------------------------------------------------

const spare = document.createElement('div');
spare.id = 'spare-keys';
spare.hidden = true;
spare.setAttribute('role', 'group');
spare.setAttribute('aria-label', say('keys help'));
for (const [name, stroke] of SPARE_KEYS) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = name;
  button.addEventListener('click', () => {
    const screen = connection.screen;
    stroke.forEach(([keysym, code]) => screen?.sendKey(keysym, code, true));
    [...stroke]
      .reverse()
      .forEach(([keysym, code]) => screen?.sendKey(keysym, code, false));
    field.focus({ preventScroll: true });
  });
  spare.append(button);
}
page.toolbar.after(spare);

function opens(button: HTMLButtonElement, panel: HTMLElement): void {
  panel.hidden = !panel.hidden;
  button.setAttribute('aria-expanded', String(!panel.hidden));
  if (!panel.hidden) {
    panel.querySelector<HTMLElement>('textarea, button')?.focus();
  }
}

const panels = {
  clipboard: makeButton(say, 'clipboard', button =>
    opens(button, page.clipboard)
  ),
  keys: makeButton(say, 'keys', button => opens(button, spare), {
    help: 'keys help'
  })
};
for (const [button, panel] of [
  [panels.clipboard, page.clipboard],
  [panels.keys, spare]
] as const) {
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-controls', panel.id);
}

page.toolbar.append(
  panels.clipboard,
  panels.keys,
  makeButton(
    say,
    'look only',
    button => {
      looksOnly = toggle(button);
      if (connection.screen) {
        connection.screen.viewOnly = looksOnly;
      }
      use();
      tell(looksOnly ? 'looking' : 'working');
    },
    { pressed: false }
  )
);
if (facts.fits && devicePixelRatio > facts.scale) {
  page.toolbar.append(
    makeButton(
      say,
      'sharp',
      button => {
        sharp = toggle(button);
        use();
        if (connection.screen) {
          connection.screen.density = density();
        }
      },
      { pressed: false, help: 'sharp help' }
    )
  );
}
if (navigator.maxTouchPoints > 0) {
  page.toolbar.append(makeButton(say, 'keyboard', () => field.focus()));
}
if (document.fullscreenEnabled) {
  page.toolbar.append(
    makeButton(
      say,
      'whole screen',
      () => {
        void wholeScreen().then(() => field.focus());
      },
      { help: 'whole screen help' }
    )
  );
}

async function wholeScreen(): Promise<void> {
  if (document.fullscreenElement) {
    await document.exitFullscreen();
    return;
  }
  await document.documentElement.requestFullscreen();
  const { keyboard: system } = navigator as {
    keyboard?: { lock?(): Promise<void> };
  };
  await system?.lock?.().catch(() => undefined);
}

export { keyboard };
