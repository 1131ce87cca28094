import { buildPage } from '../page';
import { Panel } from '../panels';
import type { IStatus } from '../service';
import { Teller } from '../telling';
import { saying } from '../words';

function open(starting = false) {
  document.body.replaceChildren();
  const say = saying('Maps');
  const page = buildPage(say);
  const start = jest.fn();
  return { page, start, teller: new Teller(page, say, start, starting) };
}

const lost = (state: IStatus['state'], error: IStatus['error'] = null) =>
  ({ how: 'lost', status: { state, error } }) as const;

describe('what is said', () => {
  it('is where the keys go, to whoever is in the program', () => {
    const { page, teller } = open();
    teller.draw({ how: 'connecting' });
    expect(page.status.textContent).toBe('Opening the screen of Maps …');
    teller.draw({ how: 'connected' });
    expect(page.status.textContent).toBe('The screen of Maps is shown.');
    page.field.focus();
    teller.draw({ how: 'connected' });
    expect(page.status.textContent).toContain('Keys go to Maps');
    expect(document.body.dataset.screen).toBe('connected');
  });

  it('is that the program starts, to who waits for that', () => {
    const { page, teller } = open(true);
    teller.draw({ how: 'connecting' });
    expect(page.status.textContent).toBe('Maps is being started.');
    teller.draw({ how: 'connected' });
    teller.draw({ how: 'connecting' });
    expect(page.status.textContent).toBe('Opening the screen of Maps …');
  });

  it.each([
    ['ready', 'still runs'],
    ['unresponsive', 'does not answer'],
    ['starting', 'is being started'],
    ['backoff', 'is being started'],
    ['stopping', 'is being stopped'],
    ['unreachable', 'cannot be reached'],
    ['logged out', 'logged out']
  ] as const)('of a program that is %s: %s', (state, words) => {
    const { page, teller } = open();
    teller.draw(lost(state));
    expect(page.status.textContent).toContain(words);
    expect(page.problem.hidden).toBe(true);
  });

  it('of a program at rest is why, what to do, and how to go on', () => {
    const { page, start, teller } = open();
    teller.draw(
      lost('stopped', { message: 'It was closed.', hint: 'Start it.' })
    );
    expect(page.problem.hidden).toBe(false);
    expect(page.problem.dataset.state).toBe('stopped');
    expect([...page.problem.children].map(child => child.textContent)).toEqual([
      'It was closed.',
      'Start it.',
      'Start Maps again'
    ]);
    page.problem.querySelector('button')?.click();
    expect(start).toHaveBeenCalled();
    teller.draw({ how: 'connected' });
    expect(page.problem.hidden).toBe(true);
  });

  it('of a program at rest is something, even without a reason', () => {
    const { page, teller } = open();
    teller.draw(lost('failed'));
    expect(page.problem.textContent).toContain('something went wrong');
  });

  it('is a crash, once, where the program is another one than before', () => {
    const { page, teller } = open();
    const note = (restarts?: number) =>
      teller.noteRestarts({
        state: 'ready',
        error: null,
        ...(restarts === undefined ? {} : { restarts })
      });
    note(1);
    expect(page.status.textContent).toBe('');
    note(2);
    expect(page.status.textContent).toContain('ended unexpectedly');
    teller.tell('connected');
    note(2);
    note();
    expect(page.status.textContent).toBe('The screen of Maps is shown.');
  });

  it('is not told again while it stays the same', () => {
    const { page, teller } = open();
    teller.tell('stopped');
    const text = page.status.firstChild;
    teller.tell('stopped');
    expect(page.status.firstChild).toBe(text);
  });
});

describe('a panel', () => {
  const build = () => {
    const { page } = open();
    const button = document.createElement('button');
    document.body.append(button);
    const panel = new Panel(button, page.clipboard);
    return { button, page, panel };
  };

  it('is shown and hidden by its button, and leads into itself', () => {
    const { button, page } = build();
    expect(button.getAttribute('aria-controls')).toBe('clipboard');
    expect(button.getAttribute('aria-expanded')).toBe('false');
    button.click();
    expect(page.clipboard.hidden).toBe(false);
    expect(button.getAttribute('aria-expanded')).toBe('true');
    expect(document.activeElement).toBe(page.text);
    button.click();
    expect(page.clipboard.hidden).toBe(true);
    expect(button.getAttribute('aria-expanded')).toBe('false');
  });

  it('is closed by Escape, and leads back', () => {
    const { button, page } = build();
    button.click();
    page.text.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })
    );
    expect(page.clipboard.hidden).toBe(true);
    expect(document.activeElement).toBe(button);
  });
});
