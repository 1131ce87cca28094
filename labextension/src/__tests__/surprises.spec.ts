import { Surprises } from '../surprises';
import {
  database,
  FakeModel,
  recovery,
  service,
  serviceError,
  trans
} from './fixtures';

/** What a student sees in the corner. */
function setUp(context: Partial<{ isVisible: boolean; seen: boolean }> = {}) {
  const model = new FakeModel(service({ state: 'ready' }), database());
  const notes = {
    emit: jest.fn(
      (message: string, _type?: string, _options?: object) => message
    ),
    update: jest.fn(),
    dismiss: jest.fn()
  };
  const panel = { isVisible: context.isVisible ?? false, reveal: jest.fn() };
  const report = jest.fn();
  new Surprises({
    model,
    notes,
    panel,
    trans,
    report,
    seen: () => context.seen ?? false
  });
  // What is there from the start is no news.
  model.become({});
  const told = () => notes.emit.mock.calls.map(([message]) => message);
  return { model, notes, panel, report, told };
}

const back = { recovered_from: recovery() };
const words = 'OpenRefine ended unexpectedly and was started again.';

describe('Surprises', () => {
  it('tell of an end that nobody asked for, once it is well again', () => {
    const { model, told } = setUp();
    model.become({ openrefine: { state: 'starting', ...back } });
    expect(told()).toEqual([]);
    model.become({ openrefine: { state: 'ready', ...back } });
    model.become({ openrefine: { memory_bytes: 1 } });
    expect(told()).toEqual([words]);
  });

  it('say what is to be done in notebooks, and lead to why', () => {
    const { model, notes, panel, report } = setUp();
    model.become({ postgres: back });
    const [message, type, options] = notes.emit.mock.lastCall!;
    expect(message).toContain('run the cells that connect to it again');
    expect(type).toBe('warning');
    const { actions } = options as { actions: { callback: () => void }[] };
    actions.forEach(({ callback }) => callback());
    expect(panel.reveal).toHaveBeenCalledWith('postgres');
    expect(report).toHaveBeenCalled();
  });

  it('put a newer one in the place of an older', () => {
    const { model, notes, told } = setUp();
    model.become({ openrefine: back });
    const at = '2026-01-01T11:00:00.000Z';
    model.become({ openrefine: { recovered_from: recovery({ at }) } });
    expect(told()).toEqual([words, words]);
    expect(notes.dismiss).toHaveBeenCalledWith(words);
  });

  it('tell what failed by itself, and not what a person sees fail', () => {
    const { model, told } = setUp();
    const failed = { state: 'failed', error: serviceError() } as const;
    model.become({ openrefine: failed });
    expect(told()).toEqual(['It ended at once.']);
    model.become({ openrefine: 'starting' });
    model.become({ openrefine: failed });
    expect(told()).toHaveLength(1);
  });

  it.each([{ isVisible: true }, { seen: true }])(
    'keep quiet where a person sees it: %j',
    context => {
      const { model, told } = setUp(context);
      model.become({ openrefine: back });
      expect(told()).toEqual([]);
    }
  );
});
