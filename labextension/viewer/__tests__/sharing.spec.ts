import type { Screen } from '../screen';
import { Sharing } from '../sharing';
import type { Word } from '../words';

type Shown = Pick<Screen, 'viewOnly' | 'clipboardPasteFrom'>;

const writeText = jest.fn<Promise<void>, [string]>();
const readText = jest.fn<Promise<string>, []>();
const query = jest.fn<Promise<{ state: string }>, []>();
const execCommand = jest.fn<boolean, []>();
Object.assign(navigator.clipboard, { writeText, readText });
Object.assign(navigator, { permissions: { query } });
Object.assign(document, { execCommand });

/** The panel, what has been told, and what the program has been given. */
function share() {
  const text = document.createElement('textarea');
  const clipboard = document.createElement('section');
  document.body.replaceChildren(text, clipboard);
  const given = jest.fn<undefined, [string]>();
  const shown: Shown = { viewOnly: false, clipboardPasteFrom: given };
  let screen: Shown | null = shown;
  const told: Word[] = [];
  const close = jest.fn();
  const sharing = new Sharing(
    {
      text,
      clipboard,
      screen: () => screen as Screen | null,
      tell: word => told.push(word),
      close
    },
    word => word
  );
  const press = async (word: Word): Promise<void> => {
    [...clipboard.querySelectorAll('button')]
      .find(button => button.textContent === word)
      ?.click();
    await new Promise(done => setTimeout(done));
  };
  const lose = (): void => {
    screen = null;
  };
  return { sharing, text, given, shown, told, press, lose, close };
}

beforeEach(() => {
  writeText.mockReset().mockResolvedValue();
  readText.mockReset().mockResolvedValue('from here');
  query.mockReset().mockResolvedValue({ state: 'granted' });
  execCommand.mockReset().mockReturnValue(true);
});

describe('text copied in the program', () => {
  it('is in this computer’s clipboard', async () => {
    const { sharing, text, told } = share();
    await sharing.received('words');
    expect(writeText).toHaveBeenCalledWith('words');
    expect(text.value).toBe('words');
    expect(told).toEqual(['copied']);
  });

  it('is under Clipboard where the browser forbids that', async () => {
    writeText.mockRejectedValue(new Error('no'));
    const { sharing, text, told } = share();
    await sharing.received('words');
    expect(text.value).toBe('words');
    expect(told).toEqual(['not copied']);
  });

  it('is not what it has just been given', async () => {
    const { sharing } = share();
    sharing.give('words');
    await sharing.received('words');
    expect(writeText).not.toHaveBeenCalled();
  });
});

describe('the panel', () => {
  it('gives its text', async () => {
    const { given, press, text, told } = share();
    text.value = 'typed';
    await press('give');
    expect(given).toHaveBeenCalledWith('typed');
    expect(told).toEqual(['given']);
  });

  it('says so where nobody is there to be given it, and keeps it', async () => {
    const { lose, press, text, told } = share();
    lose();
    text.value = 'typed';
    await press('give');
    expect(told).toEqual(['not given']);
    expect(text.value).toBe('typed');
  });

  it('gives nothing to a program that is only looked at', async () => {
    const { given, press, shown, text, told } = share();
    shown.viewOnly = true;
    text.value = 'typed';
    await press('give');
    expect(given).not.toHaveBeenCalled();
    expect(told).toEqual(['given by nobody']);
  });

  it.each([
    [true, true, 'taken'],
    [false, true, 'taken'],
    [false, false, 'not taken']
  ] as const)(
    'takes it here by the new way (%s), by the old one (%s), or says: %s',
    async (newWay, oldWay, said) => {
      if (!newWay) {
        writeText.mockRejectedValue(new Error('no'));
      }
      execCommand.mockReturnValue(oldWay);
      const { press, text, told } = share();
      text.value = 'words';
      await press('take');
      expect(told).toEqual([said]);
      expect(execCommand).toHaveBeenCalledTimes(newWay ? 0 : 1);
    }
  );

  it('closes', async () => {
    const { close, press } = share();
    await press('close');
    expect(close).toHaveBeenCalled();
  });
});

describe('this computer’s clipboard', () => {
  it('is given where that has been allowed, and once', async () => {
    const { given, sharing } = share();
    await sharing.giveOwn();
    await sharing.giveOwn();
    expect(given.mock.calls).toEqual([['from here']]);
  });

  it.each(['prompt', 'denied'])(
    'is left alone where it is: %s',
    async state => {
      query.mockResolvedValue({ state });
      const { given, sharing } = share();
      await sharing.giveOwn();
      expect(readText).not.toHaveBeenCalled();
      expect(given).not.toHaveBeenCalled();
    }
  );

  it('is left alone by a browser that knows no such permission', async () => {
    query.mockRejectedValue(new TypeError('clipboard-read'));
    const { given, sharing } = share();
    await sharing.giveOwn();
    expect(given).not.toHaveBeenCalled();
  });
});
