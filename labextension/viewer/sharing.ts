import { copyHere, copySelected, readHere } from './clipboard';
import { makeButton } from './page';
import type { Screen } from './screen';
import type { Say, Word } from './words';

/** What text goes through: the panel's parts, and whoever has the screen. */
export interface ISharingPlace {
  readonly text: HTMLTextAreaElement;
  readonly clipboard: HTMLElement;
  /** The screen; null while there is none. */
  screen(): Screen | null;
  tell(word: Word): void;
  /** Close the panel. */
  close(): void;
}

/** Text on its way between the clipboards of the program and of this computer. */
export class Sharing {
  constructor(
    private readonly place: ISharingPlace,
    say: Say
  ) {
    const { clipboard, tell, text } = place;
    clipboard.append(
      makeButton(say, 'give', () => tell(this.give(text.value))),
      makeButton(say, 'take', () => {
        void copyHere(text.value).then(how =>
          tell(how === 'copied' || copySelected(text) ? 'taken' : 'not taken')
        );
      }),
      makeButton(say, 'close', () => place.close())
    );
  }

  /** Put text into the program's clipboard; returns what to say of it. */
  give(words: string): 'given' | 'not given' | 'given by nobody' {
    this.place.text.value = words;
    const screen = this.place.screen();
    if (!screen) {
      return 'not given';
    }
    if (screen.viewOnly) {
      return 'given by nobody';
    }
    this._shared = words;
    screen.clipboardPasteFrom(words);
    return 'given';
  }

  /** Give what is in this computer's clipboard, where that may be read without a question. */
  async giveOwn(): Promise<void> {
    const found = await readHere();
    if (found && found !== this._shared) {
      this.give(found);
    }
  }

  /** Text was copied in the program. */
  async received(words: string): Promise<void> {
    if (words === this._shared) {
      return;
    }
    this._shared = this.place.text.value = words;
    this.place.tell(await copyHere(words));
  }

  /** What both sides have, so that it is not sent back and forth. */
  private _shared = '';
}
