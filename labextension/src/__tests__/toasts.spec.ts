import { OperationToasts } from '../toasts';
import type { IOperation } from '../tokens';
import { FakeModel, operation, service, serviceError, trans } from './fixtures';

/** What a student sees in the corner. */
function setUp(context: Partial<{ isVisible: boolean; seen: boolean }> = {}) {
  const model = new FakeModel(service());
  const notes = {
    emit: jest.fn(
      (_message: string, _type?: string, _options?: object) => 'n1'
    ),
    update: jest.fn(),
    dismiss: jest.fn()
  };
  const panel = { isVisible: context.isVisible ?? false, reveal: jest.fn() };
  const report = jest.fn();
  const open = jest.fn();
  const tell = jest.fn();
  const toasts = new OperationToasts({
    model,
    notes,
    panel,
    trans,
    report,
    open,
    tell,
    seen: () => context.seen ?? false,
    wanted: () => true
  });
  const run = (...operations: IOperation[]) => {
    model.operations = operations;
    model.become({});
  };
  const end = (ended: IOperation) => {
    model.operations = [];
    model.operationEnded.emit(ended);
  };
  return { model, notes, panel, report, open, tell, toasts, run, end };
}

const lasting = operation({ started: '2026-01-01T10:00:00.000Z' });

describe('OperationToasts', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('say how what lasts goes on, and how it ends', () => {
    const { notes, run, end } = setUp();
    run(lasting);
    expect(notes.emit).toHaveBeenCalledWith(
      lasting.message,
      'in-progress',
      expect.anything()
    );
    run({ ...lasting, progress: 0.5, message: 'Nearly' });
    expect(notes.update).toHaveBeenLastCalledWith({
      id: 'n1',
      message: 'OpenRefine: Nearly',
      progress: 0.5
    });
    end({ ...lasting, state: 'succeeded', message: 'OpenRefine is ready' });
    expect(notes.update).toHaveBeenLastCalledWith(
      expect.objectContaining({ id: 'n1', type: 'success' })
    );
  });

  it('keep quiet of what is brief until it no longer is', () => {
    const { model, notes, run } = setUp();
    run({ ...lasting, started: new Date(model.now).toISOString() });
    expect(notes.emit).not.toHaveBeenCalled();
    model.now += 2_000;
    jest.advanceTimersByTime(1_500);
    expect(notes.emit).toHaveBeenCalledTimes(1);
  });

  it.each([{ isVisible: true }, { seen: true }])(
    'keep quiet where a person sees it: %j',
    context => {
      const { notes, run } = setUp(context);
      run(lasting);
      expect(notes.emit).not.toHaveBeenCalled();
    }
  );

  it('lead to the question that a stop waits for', () => {
    const { notes, open, run, end } = setUp();
    const stop = operation({ kind: 'stop', waiting_for: 'answer' });
    run(stop);
    const options = notes.emit.mock.lastCall?.[2] as {
      actions: { label: string; callback: (event: object) => void }[];
    };
    options.actions[0]?.callback({ preventDefault: jest.fn() });
    expect(open).toHaveBeenCalledWith('openrefine');
    run({ ...stop, waiting_for: null });
    run(stop);
    expect(notes.update).toHaveBeenLastCalledWith(
      expect.objectContaining({ actions: [expect.anything()] })
    );
    const error = serviceError({ code: 'still-open', message: 'It is open.' });
    end({ ...stop, state: 'failed', error, waiting_for: null });
    expect(notes.update).toHaveBeenLastCalledWith(
      expect.objectContaining({ message: 'It is open.', type: 'info' })
    );
  });

  it('say even beside the panel that it is still open', () => {
    const { notes, end } = setUp({ isVisible: true });
    const error = serviceError({ code: 'still-open', message: 'It is open.' });
    end(operation({ kind: 'stop', state: 'failed', error }));
    expect(notes.emit).toHaveBeenCalledWith(
      'It is open.',
      'info',
      expect.objectContaining({ actions: [] })
    );
  });

  it('tell why something failed, and what can be done', () => {
    const { notes, panel, report, toasts, end } = setUp();
    const undo = jest.fn();
    toasts.addEndActions('start', () => [{ label: 'Undo', run: undo }]);
    end({ ...lasting, state: 'failed', error: serviceError() });
    const [message, type, options] = notes.emit.mock.lastCall!;
    expect([message, type]).toEqual(['It ended at once.', 'error']);
    const { actions } = options as {
      actions: { label: string; callback: () => void }[];
    };
    actions.forEach(({ callback }) => callback());
    expect(panel.reveal).toHaveBeenCalledWith('openrefine');
    expect(report).toHaveBeenCalled();
    expect(undo).toHaveBeenCalled();
  });

  it('let what there is no room for be read', () => {
    const { notes, tell, end } = setUp();
    const message = `It is restored. The old is in ${'a/folder/'.repeat(20)}`;
    end(operation({ kind: 'restore', state: 'succeeded', message }));
    const [shown, , options] = notes.emit.mock.lastCall!;
    expect(shown).toBe('It is restored.');
    const { actions, autoClose } = options as {
      actions: { label: string; callback: (event: object) => void }[];
      autoClose: unknown;
    };
    expect(autoClose).toBe(false);
    actions[0]?.callback({ preventDefault: jest.fn() });
    expect(tell).toHaveBeenCalledWith(message);
  });

  it('say whole sentences where there is no room for all', () => {
    const { notes, end } = setUp();
    const told = (message: string) => {
      const error = serviceError({ message });
      end({ ...lasting, state: 'failed', error });
      return notes.emit.mock.lastCall![0];
    };
    expect(told('It broke. It is safe.')).toBe('It broke. It is safe.');
    const long = 'what is safe, '.repeat(9);
    expect(told(`It broke. So it is. Safe: ${long}all.`)).toBe(
      'It broke. So it is.'
    );
    expect(told(`Safe is ${long}all.`)).toBe(`Safe is ${long}all.`);
  });

  it('offer nothing that is overtaken, and say whose work it is', () => {
    const { notes, toasts, run, end } = setUp();
    const undo = [{ label: 'Undo', run: jest.fn() }];
    const reset = {
      ...lasting,
      kind: 'reset',
      message: 'Comparing what was restored'
    };
    toasts.addEndActions('reset', () => undo);
    run(reset);
    expect(notes.emit.mock.lastCall![0]).toBe(
      'OpenRefine: Comparing what was restored'
    );
    end({ ...reset, state: 'succeeded' });
    expect(notes.dismiss).not.toHaveBeenCalled();
    end({ ...lasting, state: 'succeeded' });
    expect(notes.dismiss).not.toHaveBeenCalled();
    end({ ...reset, id: 'op2', kind: 'restore', state: 'succeeded' });
    expect(notes.dismiss).toHaveBeenCalledWith('n1');
  });

  it('offer no undo once the copy that it needs is gone', () => {
    const { notes, toasts, end } = setUp();
    toasts.addEndActions('reset', () => [
      { label: 'Undo', needs: 'safety', run: jest.fn() }
    ]);
    end({ ...lasting, kind: 'reset', state: 'succeeded' });
    toasts.withdraw('another');
    expect(notes.dismiss).not.toHaveBeenCalled();
    toasts.withdraw('safety');
    expect(notes.dismiss).toHaveBeenCalledTimes(1);
  });

  it('go when the server does, and say nothing of what was cancelled', () => {
    const { model, notes, run, end } = setUp();
    run(lasting);
    model.lose({ code: 'unreachable', message: '', hint: '' });
    expect(notes.dismiss).toHaveBeenCalledWith('n1');
    model.lose(null);
    end({ ...lasting, state: 'cancelled' });
    expect(notes.update).not.toHaveBeenCalledWith(
      expect.objectContaining({ type: 'success' })
    );
  });
});
