import { Connection } from './connection';
import { readFacts } from './facts';
import { wholeScreen } from './fullscreen';
import { Keys } from './keyboard';
import { languageHere } from './language';
import { buildPage, makeButton, toggle } from './page';
import { Panel } from './panels';
import { askStatus } from './service';
import { Sharing } from './sharing';
import { buildSpareKeys } from './spareKeys';
import { followStop } from './stopping';
import { Teller } from './telling';
import { followTheme } from './theme';
import { View } from './view';
import { saying, type Word } from './words';

const facts = readFacts();
const { catalogue, tag } = languageHere();
document.documentElement.lang = tag;
const say = saying(facts.title, catalogue);
followTheme();

const page = buildPage(say);
const { field, toolbar } = page;
const reload = (): void => location.reload();
const teller = new Teller(page, say, reload, facts.starting);
const view = new View(facts, () => connection.screen);

const enter = (): void => field.focus({ preventScroll: true });
const sendKey = (keysym: number, code: string, down: boolean): void =>
  connection.screen?.sendKey(keysym, code, down);

// -- what the buttons do --------------------------------------------------------------------------

const spareKeys = buildSpareKeys(say, sendKey, enter);
toolbar.after(spareKeys);
const buttons = {
  clipboard: makeButton(say, 'clipboard'),
  keys: makeButton(say, 'keys', undefined, { help: 'keys help' })
};
toolbar.append(
  buttons.clipboard,
  buttons.keys,
  makeButton(
    say,
    'look only',
    button => {
      view.looksOnly = toggle(button);
      teller.tell(view.looksOnly ? 'looking' : 'working');
    },
    { pressed: false }
  )
);
if (view.canBeSharp) {
  const press = (button: HTMLButtonElement): void => {
    view.sharp = toggle(button);
  };
  toolbar.append(
    makeButton(say, 'sharp', press, { pressed: false, help: 'sharp help' })
  );
}
if (navigator.maxTouchPoints > 0) {
  toolbar.append(makeButton(say, 'keyboard', () => field.focus()));
}
if (document.fullscreenEnabled) {
  const fill = (): void => void wholeScreen().then(enter);
  toolbar.append(
    makeButton(say, 'whole screen', fill, { help: 'whole screen help' })
  );
}
new Panel(buttons.keys, spareKeys);
const clipboard = new Panel(buttons.clipboard, page.clipboard);

const sharing = new Sharing(
  {
    ...page,
    screen: () => connection.screen,
    tell: word => teller.tell(word),
    close: () => clipboard.close()
  },
  say
);

// -- the screen -----------------------------------------------------------------------------------

const connection = new Connection(
  page.screen,
  {
    screen: new URL(facts.socket, location.href).href.replace(/^http/, 'ws'),
    service: facts.service
  },
  situation => {
    teller.draw(situation);
    if (situation.how === 'connected') {
      if (view.looksOnly) {
        teller.tell('looking');
      }
      void askStatus(facts.service).then(status => teller.noteRestarts(status));
    }
  },
  screen => {
    view.prepare(screen);
    screen.addEventListener('clipboard', event => {
      const { text } = (event as CustomEvent<{ text: string }>).detail;
      void sharing.received(text);
    });
  }
);

const tellIfShown = (word: Word): void => {
  if (connection.screen) {
    teller.tell(word);
  }
};
followStop(
  () => tellIfShown('asked'),
  asks => tellIfShown(asks ? 'question' : 'connected')
);

// -- keys and pointer -----------------------------------------------------------------------------

new Keys(field, {
  key: sendKey,
  pasted: text => sharing.give(text),
  leave: () => {
    buttons.clipboard.focus();
    teller.tell('outside');
  }
});
field.addEventListener('focus', () => {
  view.use();
  // Before, they go nowhere, and it is said why.
  if (connection.screen) {
    teller.tell(view.looksOnly ? 'looking' : 'inside');
  }
  void sharing.giveOwn();
});
page.screen.addEventListener('pointerdown', event => {
  view.use();
  // A finger that points is no wish for the keyboard that covers half of the screen.
  if (event.pointerType !== 'touch') {
    setTimeout(enter);
  }
});

/** Whoever comes to this page, and not to a button of it, comes to use the program. */
function arrive(): void {
  view.use();
  if (document.activeElement === document.body && !COARSE.matches) {
    enter();
  }
}

const COARSE = matchMedia('(pointer: coarse)');
addEventListener('focus', arrive);
if (document.hasFocus()) {
  arrive();
}
