import { act, cleanup, fireEvent } from '@testing-library/react';

import { database, FakeModel, service } from './fixtures';
import { button, show } from './panelFixtures';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  cleanup();
  jest.useRealTimers();
});

describe('the buttons of a service', () => {
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
});
