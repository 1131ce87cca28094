import * as fs from 'fs';

import { allStrings, CATALOGUE } from './strings';

type Catalogue = Readonly<Record<string, readonly string[]>>;

const { '': header, ...catalogue } = JSON.parse(
  fs.readFileSync(CATALOGUE, 'utf8')
) as Catalogue;
const strings = allStrings();

/** The places of a text that are filled in, each as often as it stands there. */
const places = (text: string): string[] =>
  [...new Set(text.match(/%\d/g) ?? [])].sort();

describe('the French catalogue', () => {
  it('has every string there is, and none that is gone', () => {
    expect(Object.keys(catalogue).sort()).toEqual([...strings.keys()].sort());
  });

  it('has as many forms of each as the language needs', () => {
    const wrong = Object.entries(catalogue).filter(
      ([key, forms]) => forms.length !== strings.get(key) || forms.includes('')
    );
    expect(wrong).toEqual([]);
    expect(header).toMatchObject({
      domain: 'ou_vce_ext',
      plural_forms: 'nplurals=2; plural=(n > 1);'
    });
  });

  it('fills in what the original fills in', () => {
    const wrong = Object.entries(catalogue).filter(([key, forms]) => {
      const wanted = places(key);
      // A number may be left out where one word says it.
      return forms.some(form =>
        places(form).some(place => !wanted.includes(place) && place !== '%1')
      );
    });
    expect(wrong).toEqual([]);
  });
});
