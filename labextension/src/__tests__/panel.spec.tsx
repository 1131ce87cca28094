import {
  act,
  cleanup,
  fireEvent,
  render,
  screen,
  within
} from '@testing-library/react';
import axe from 'axe-core';
import * as React from 'react';

import { Branding } from '../branding';
import type { RowPart, ShownState } from '../tokens';
import { type IPanelViewProps, PanelView } from '../widgets/panel';
import {
  database,
  FakeModel,
  operation,
  service,
  serviceError,
  trans
} from './fixtures';

const MINUTE = 60_000;

/** The panel over a model, with actions that a test can watch. */
function show(model: FakeModel, changes: Partial<IPanelViewProps> = {}) {
  const props = {
    model,
    branding: null,
    trans,
    run: jest.fn(() => Promise.resolve()),
    report: jest.fn(),
    everything: jest.fn(() => Promise.resolve()),
    parts: [],
    showStatus: jest.fn(),
    ...changes
  };
  const view = render(
    <main>
      <h1>Lab</h1>
      <PanelView {...props} revealed={{}} />
    </main>
  );
  const reveal = (revealed: Record<string, number>) =>
    view.rerender(
      <main>
        <h1>Lab</h1>
        <PanelView {...props} revealed={revealed} />
      </main>
    );
  return { ...props, reveal, container: view.container };
}

const row = (name: string) =>
  document.querySelector<HTMLElement>(`[data-vce-service="${name}"]`)!;

const buttons = (name: string) =>
  within(row(name))
    .queryAllByRole('button')
    .map(button => button.getAttribute('aria-label'));

const button = (name: string) => screen.getByRole('button', { name });

// Nothing ticks by itself, however long a test takes on a busy machine.
beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  cleanup();
  jest.useRealTimers();
});

describe('PanelView', () => {
  it('says so while nothing is known, and when there is nothing', () => {
    const model = new FakeModel();
    model.loaded = model.connected = false;
    const { container } = show(model);
    expect(container.textContent).toContain('Looking for the services');
    act(() => {
      model.loaded = true;
      model.lose(null);
    });
    expect(container.textContent).toContain('No services are declared');
  });

  it.each<[ShownState, string, string[]]>([
    ['stopped', 'Stopped', ['Open OpenRefine', 'Start OpenRefine']],
    [
      'starting',
      'Starting…',
      ['Open OpenRefine', 'Cancel the start of OpenRefine']
    ],
    [
      'ready',
      'Running',
      ['Open OpenRefine', 'Stop OpenRefine', 'Restart OpenRefine']
    ],
    [
      'unresponsive',
      'Not answering',
      ['Open OpenRefine', 'Stop OpenRefine', 'Restart OpenRefine']
    ],
    ['stopping', 'Stopping…', ['Stop OpenRefine']],
    [
      'backoff',
      'Restarting in 3 s',
      ['Open OpenRefine', 'Start now: OpenRefine', 'Stop OpenRefine']
    ],
    ['failed', 'Failed', ['Open OpenRefine', 'Try again to start OpenRefine']],
    ['unavailable', 'Not available', ['Try again to start OpenRefine']]
  ])(
    'shows a service that is %s in words, with what can be done',
    async (state, words, names) => {
      const model = new FakeModel();
      model.services = [
        service({
          state: state as 'ready',
          retry_at: new Date(model.now + 2_500).toISOString(),
          error: ['failed', 'unavailable'].includes(state)
            ? serviceError()
            : null
        })
      ];
      const { container } = show(model);
      expect(row('openrefine').dataset.vceState).toBe(state);
      expect(
        row('openrefine').querySelector('.jp-vce-state-words')!.textContent
      ).toBe(words);
      expect(row('openrefine').querySelector('.jp-vce-state svg')).toBeTruthy();
      expect(buttons('openrefine')).toEqual([
        'Log of OpenRefine',
        ...(['failed', 'unavailable'].includes(state)
          ? ['Copy for the forum: OpenRefine']
          : []),
        ...names
      ]);
      const check = axe.run(container, {
        // jsdom lays nothing out.
        rules: { 'color-contrast': { enabled: false } }
      });
      await act(() => jest.advanceTimersByTimeAsync(100));
      expect((await check).violations).toEqual([]);
    }
  );

  it('says how long a service has run and what it uses', () => {
    const model = new FakeModel(
      database({ since: '2026-01-01T09:30:30.000Z' })
    );
    show(model);
    expect(row('postgres').textContent).toContain('32 min');
    expect(row('postgres').textContent).toContain('41 MB');
  });

  it('keeps the uptime true without any news', () => {
    const model = new FakeModel(database({ since: new Date(0).toISOString() }));
    model.now = MINUTE;
    show(model);
    expect(row('postgres').textContent).toContain('1 min');
    model.now = 3 * MINUTE;
    act(() => jest.advanceTimersByTime(20_000));
    expect(row('postgres').textContent).toContain('3 min');
  });

  it('names a missing program as such', () => {
    show(
      new FakeModel(
        database({
          state: 'unavailable',
          error: serviceError({ code: 'program-missing' })
        })
      )
    );
    expect(row('postgres').textContent).toContain('Not installed');
    expect(buttons('postgres')).not.toContain('Connect to PostgreSQL');
  });

  it('shows the progress of an operation, told or not', () => {
    const model = new FakeModel(
      service({ state: 'starting', ready_seconds: 4.2 })
    );
    model.now = Date.parse('2026-01-01T10:00:03.000Z');
    model.operations = [operation()];
    show(model);
    const bar = screen.getByRole('progressbar', {
      name: 'Starting OpenRefine: loading Java'
    });
    expect(bar.hasAttribute('aria-valuenow')).toBe(false);
    expect(row('openrefine').textContent).toContain('3 s of about 5 s');
    model.operations = [operation({ progress: 0.4 })];
    act(() => model.become({}));
    expect(bar.getAttribute('aria-valuenow')).toBe('40');
    model.operations = [];
    act(() => model.become({ openrefine: 'ready' }));
    expect(screen.queryByRole('progressbar')).toBeNull();
  });

  it('tells why a service failed, as text and never as markup', () => {
    show(new FakeModel(service({ state: 'failed', error: serviceError() })));
    const text = row('openrefine').textContent;
    expect(text).toContain('It ended at once.');
    expect(text).toContain('Look at the log.');
    expect(text).toContain('It ended with exit code 1.');
    expect(
      screen.getByRole('region', {
        name: 'Last lines of the log of OpenRefine'
      }).textContent
    ).toBe('first\n<b>last</b>');
    expect(row('openrefine').querySelector('b')).toBeNull();
  });

  it('does not repeat what the message says', () => {
    const error = serviceError({ message: 'It ended with 1.' });
    show(new FakeModel(service({ state: 'failed', error })));
    expect(row('openrefine').textContent).not.toContain('exit code');
  });

  it('names the signal that ended a service', () => {
    const error = serviceError({ exit_code: null, signal: 'SIGKILL' });
    show(new FakeModel(service({ state: 'backoff', error })));
    expect(row('openrefine').textContent).toContain('signal SIGKILL');
  });

  it('has a report made for the forum where something failed', () => {
    const { report } = show(
      new FakeModel(service({ state: 'failed', error: serviceError() }))
    );
    fireEvent.click(button('Copy for the forum: OpenRefine'));
    expect(report).toHaveBeenCalled();
  });

  it('leads from a database to how it is reached', async () => {
    const { run } = show(new FakeModel(database()));
    await act(async () => {
      fireEvent.click(button('Connect to PostgreSQL'));
      await Promise.resolve();
    });
    expect(run).toHaveBeenLastCalledWith('connect', database());
  });

  it('starts and stops all there is, where there is something to do', () => {
    const model = new FakeModel(service(), database());
    const { everything } = show(model);
    fireEvent.click(button('Start all'));
    expect(everything).toHaveBeenLastCalledWith('start');
    fireEvent.click(button('Stop all'));
    expect(everything).toHaveBeenLastCalledWith('stop');
    act(() => model.become({ postgres: 'stopped' }));
    expect(button('Stop all').getAttribute('aria-disabled')).toBe('true');
    fireEvent.click(button('Stop all'));
    expect(everything).toHaveBeenCalledTimes(2);
  });

  it('wears the name and the help of the module', () => {
    const branding = new Branding(
      { branding: () => Promise.reject(new Error()) },
      new FakeModel()
    );
    jest.spyOn(branding, 'current', 'get').mockReturnValue({
      title: 'TM351 VCE',
      logo: '/vce/api/branding/logo',
      colour: '#0b6e99',
      colour_dark: null,
      help_url: 'https://learn.example.org/forum',
      help_text: 'Ask in the forum'
    });
    const { container } = show(new FakeModel(service()), { branding });
    expect(screen.getByRole('heading', { name: 'TM351 VCE' })).toBeTruthy();
    expect(
      screen
        .getByRole('link', { name: 'Ask in the forum' })
        .getAttribute('href')
    ).toBe('https://learn.example.org/forum');
    expect(container.querySelector('img')!.alt).toBe('');
  });

  it('has room for what others add to a service', () => {
    const Part: RowPart = ({ service: { title }, state }) => (
      <p>{`${title} here: ${state}`}</p>
    );
    show(new FakeModel(service()), { parts: [Part] });
    expect(row('openrefine').textContent).toContain('OpenRefine here: stopped');
  });

  it('runs what a button says', async () => {
    const { run, showStatus } = show(new FakeModel(service()));
    await act(async () => {
      fireEvent.click(button('Start OpenRefine'));
      await Promise.resolve();
    });
    expect(run).toHaveBeenLastCalledWith('start', service());
    fireEvent.click(button('Log of OpenRefine'));
    expect(run).toHaveBeenLastCalledWith('logs', service());
    fireEvent.click(button('Status page'));
    expect(showStatus).toHaveBeenCalled();
  });

  it('takes a double click for one, and a held key for one press', () => {
    const { run } = show(new FakeModel(service({ state: 'ready' })));
    fireEvent.click(button('Stop OpenRefine'), { detail: 2 });
    expect(run).not.toHaveBeenCalled();
    const held = fireEvent.keyDown(button('Stop OpenRefine'), {
      key: 'Enter',
      repeat: true
    });
    expect(held).toBe(false);
  });

  it('does not order twice what is on its way', async () => {
    let done: () => void = () => undefined;
    const run = jest.fn(() => new Promise<void>(resolve => (done = resolve)));
    show(new FakeModel(service()), { run });
    fireEvent.click(button('Start OpenRefine'));
    expect(button('Start OpenRefine').getAttribute('aria-disabled')).toBe(
      'true'
    );
    fireEvent.click(button('Start OpenRefine'));
    expect(run).toHaveBeenCalledTimes(1);
    await act(async () => {
      done();
      await Promise.resolve();
    });
    expect(button('Start OpenRefine').getAttribute('aria-disabled')).toBe(
      'false'
    );
  });

  it('keeps the focus on a button, or gives it to what takes its place', () => {
    const model = new FakeModel(service(), database());
    show(model);
    const focused = () => document.activeElement?.getAttribute('aria-label');
    button('Start OpenRefine').focus();
    act(() => model.become({ postgres: 'stopped' }));
    expect(focused()).toBe('Start OpenRefine');
    act(() => model.become({ openrefine: 'starting' }));
    expect(focused()).toBe('Cancel the start of OpenRefine');
    act(() => model.become({ openrefine: 'ready' }));
    expect(focused()).toBe('Stop OpenRefine');
    act(() => model.become({ openrefine: 'stopping' }));
    expect(focused()).toBe('Stop OpenRefine');
    act(() => model.become({ openrefine: 'stopped' }));
    expect(focused()).toBe('Start OpenRefine');
  });

  it('leaves the focus alone where nobody was at its buttons', () => {
    const model = new FakeModel(service());
    show(model);
    act(() => model.become({ openrefine: 'ready' }));
    expect(document.activeElement).toBe(document.body);
  });

  it('shows no old news as current when the server is gone', () => {
    const model = new FakeModel(
      service({ state: 'ready', error: serviceError() })
    );
    const { container } = show(model);
    act(() => model.lose({ code: 'unreachable', message: '', hint: '' }));
    expect(container.textContent).toContain(
      'The Jupyter server cannot be reached.'
    );
    expect(row('openrefine').dataset.vceState).toBe('unknown');
    expect(row('openrefine').textContent).toContain('Unknown');
    expect(row('openrefine').textContent).not.toContain('It ended at once');
    expect(buttons('openrefine')).toEqual([]);
    fireEvent.click(button('Try now'));
    expect(model.orders).toEqual(['refresh']);
    act(() => model.lose(null));
    expect(row('openrefine').textContent).toContain('Running');
  });

  it('goes to the service that somebody asked for', () => {
    const { reveal } = show(new FakeModel(service(), database()));
    reveal({ postgres: 1 });
    expect(document.activeElement).toBe(row('postgres'));
  });
});
