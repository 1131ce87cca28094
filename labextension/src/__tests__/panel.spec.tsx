import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import axe from 'axe-core';
import * as React from 'react';

import { Branding } from '../branding';
import type { RowPart, ShownState } from '../tokens';
import {
  database,
  FakeModel,
  operation,
  recovery,
  service,
  serviceError
} from './fixtures';
import { button, buttons, row, show } from './panelFixtures';

const MINUTE = 60_000;

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
      'Restart in 3 s',
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

  it('tells that a service ended and is back, until that is read', () => {
    const model = new FakeModel(database({ recovered_from: recovery() }));
    show(model);
    const told = () => row('postgres').textContent;
    expect(told()).toContain('Ended unexpectedly at');
    expect(told()).toContain('It was killed.');
    expect(told()).toContain('run the cells that connect to it again');
    fireEvent.click(
      button('OK, I have read that PostgreSQL was started again')
    );
    expect(told()).not.toContain('Ended unexpectedly');
    expect(document.activeElement).toBe(row('postgres'));
    const at = '2026-01-01T11:00:00.000Z';
    act(() => model.become({ postgres: { recovered_from: recovery({ at }) } }));
    expect(told()).toContain('Ended unexpectedly');
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
