import { momentWords } from '../backupWords';
import { figure, manner } from '../words';

describe('numbers and dates', () => {
  afterEach(() => {
    document.documentElement.lang = '';
  });

  const read = (page: string, ...browser: string[]): void => {
    document.documentElement.lang = page;
    jest.spyOn(navigator, 'languages', 'get').mockReturnValue(browser);
  };

  it('are written as in the country of the browser, in the language of the page', () => {
    read('en', 'fr-FR', 'en-GB', 'en');
    expect(manner()).toBe('en-GB');
    expect(momentWords('2026-11-26T12:00:00Z')).toMatch(/^26 Nov 2026/);
    read('fr-FR', 'en-GB', 'en');
    expect(manner()).toBe('fr-FR');
    expect(figure(1.5)).toBe('1,5');
    read('', 'en-GB');
    expect(manner()).toBeUndefined();
  });
});
