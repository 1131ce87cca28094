import FRENCH from './locale/fr.json';
import type { Catalogue } from './words';

/** The languages there are beside English, by the first part of their tags. */
const CATALOGUES: Readonly<Record<string, Catalogue>> = { fr: FRENCH };

export interface ILanguage {
  /** As in HTML's `lang` and HTTP's `Accept-Language`. */
  readonly tag: string;
  readonly catalogue: Catalogue;
}

const ENGLISH: ILanguage = { tag: 'en-GB', catalogue: {} };

/** The first language of `wanted`, the most wanted first, that there is. English if none is. */
export function language(wanted: readonly string[]): ILanguage {
  for (const asked of wanted) {
    const tag = asked.replaceAll('_', '-');
    const primary = tag.toLowerCase().split('-')[0] ?? '';
    const catalogue = CATALOGUES[primary];
    if (primary === 'en' || catalogue) {
      return catalogue ? { tag, catalogue } : ENGLISH;
    }
  }
  return ENGLISH;
}

/** The language of JupyterLab around this page; in a browser tab of its own, the browser's. */
export function languageHere(): ILanguage {
  return language([...languageAround(), ...navigator.languages]);
}

function languageAround(): string[] {
  try {
    if (window.parent !== window) {
      const { lang } = window.parent.document.documentElement;
      return lang ? [lang] : [];
    }
  } catch {
    // Framed by a page of somebody else.
  }
  return [];
}
