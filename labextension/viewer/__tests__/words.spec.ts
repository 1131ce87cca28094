import * as fs from 'fs';
import * as path from 'path';

import { language, languageHere } from '../language';
import FRENCH from '../locale/fr.json';
import { buildPage } from '../page';
import { buildSpareKeys } from '../spareKeys';
import { ENGLISH, saying, type Word } from '../words';

const places = (text: string): string[] => text.match(/\{\w+\}/g) ?? [];

describe('the French of the page', () => {
  it('has every sentence there is, and none that is gone', () => {
    expect(Object.keys(FRENCH).sort()).toEqual(Object.values(ENGLISH).sort());
    expect(Object.values(FRENCH)).not.toContain('');
  });

  it('fills in what the original fills in', () => {
    const wrong = Object.entries(FRENCH).filter(
      ([english, french]) => places(french).join() !== places(english).join()
    );
    expect(wrong).toEqual([]);
  });

  it('puts no word that is elided before a name', () => {
    const wrong = Object.values(FRENCH).filter(french =>
      /\b(de|le|la|que) \{/.test(french)
    );
    expect(wrong).toEqual([]);
  });
});

describe('the words of the page', () => {
  it('all come from there', () => {
    document.body.replaceChildren();
    const say = (word: Word): string => `«${word}»`;
    buildPage(say).toolbar.after(
      buildSpareKeys(
        say,
        () => undefined,
        () => undefined
      )
    );
    const found = [...document.querySelectorAll('*')].flatMap(node => [
      ...['aria-label', 'title', 'placeholder'].map(
        name => node.getAttribute(name) ?? ''
      ),
      node.children.length === 0 ? node.textContent : ''
    ]);
    const foreign = found.filter(
      words =>
        words && !/^«.*»$/.test(words) && !/^(Esc|Tab|.*\+.*)$/.test(words)
    );
    expect(foreign).toEqual([]);
    expect(found.filter(words => words.startsWith('«')).length).toBeGreaterThan(
      5
    );
  });

  it('are all in use', () => {
    const folder = path.join(__dirname, '..');
    const sources = fs
      .readdirSync(folder)
      .filter(file => file.endsWith('.ts') && file !== 'words.ts')
      .map(file => fs.readFileSync(path.join(folder, file), 'utf8'))
      .join('\n');
    const unused = Object.keys(ENGLISH).filter(
      word => !sources.includes(`'${word}'`)
    );
    // These are what a `Situation` is called.
    expect(unused).toEqual([]);
  });

  it('have their names filled in, and no room for what is not known', () => {
    const say = saying('Maps {x}');
    expect(say('stopped')).toBe('Maps {x} is not running.');
    expect(say('starting')).toBe('Maps {x} is being started.');
    expect(say('starting', { reason: 'Soon.' })).toBe(
      'Maps {x} is being started. Soon.'
    );
    expect(saying('Maps', FRENCH)('stopped')).toBe('Maps n’est pas en marche.');
    expect(saying('Maps', { other: 'x' })('close')).toBe('Close');
  });
});

describe('the language', () => {
  it.each([
    [['fr-FR', 'en'], 'fr-FR'],
    [['fr_CA'], 'fr-CA'],
    [['de', 'fr'], 'fr'],
    [['en-US', 'fr'], 'en-GB'],
    [['de'], 'en-GB'],
    [[], 'en-GB'],
    [['', 'FR'], 'FR']
  ])('is the first of %j that there is: %s', (wanted, tag) => {
    const chosen = language(wanted);
    expect(chosen.tag).toBe(tag);
    expect(chosen.catalogue).toEqual(tag === 'en-GB' ? {} : FRENCH);
  });

  describe('here', () => {
    const own = window.parent;
    const frame = (parent: object): void => {
      Object.defineProperty(window, 'parent', {
        configurable: true,
        ...parent
      });
    };

    beforeEach(() => {
      Object.defineProperty(navigator, 'languages', {
        configurable: true,
        value: ['en-GB', 'fr']
      });
    });
    afterEach(() => frame({ value: own }));

    it('is JupyterLab’s within JupyterLab', () => {
      const around = document.implementation.createHTMLDocument();
      around.documentElement.lang = 'fr-FR';
      frame({ value: { document: around } });
      expect(languageHere().tag).toBe('fr-FR');
    });

    it('is the browser’s in a tab of its own', () => {
      expect(languageHere().tag).toBe('en-GB');
    });

    it('is the browser’s in a frame of somebody else', () => {
      frame({
        value: {
          get document(): never {
            throw new DOMException('not yours', 'SecurityError');
          }
        }
      });
      expect(languageHere().tag).toBe('en-GB');
    });
  });
});
