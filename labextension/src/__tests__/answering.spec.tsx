import { Dialog, showDialog } from '@jupyterlab/apputils';
import { act, cleanup, fireEvent } from '@testing-library/react';

import { answer } from '../answering';
import { VCEError } from '../request';
import type { IOperation } from '../tokens';
import { confirmUnsaved } from '../widgets/confirmUnsaved';
import { FakeModel, operation, service, trans } from './fixtures';
import { button, buttons, row, show } from './panelFixtures';

jest.mock('@jupyterlab/apputils', () => ({
  ...jest.requireActual<object>('@jupyterlab/apputils'),
  showDialog: jest.fn()
}));

const planet = service({ state: 'ready' });

function setUp(changes: Partial<IOperation> = {}) {
  const model = new FakeModel(planet);
  model.operations = [
    operation({ kind: 'stop', waiting_for: 'answer', ...changes })
  ];
  const confirmUnsaved = jest.fn(() => Promise.resolve(true));
  const report = jest.fn();
  return { model, confirmUnsaved, report };
}

describe('A stop that waits for an answer', () => {
  it('can be called off', async () => {
    const context = setUp();
    await answer('keep', planet, context);
    expect(context.model.orders).toEqual(['cancel op1']);
    expect(context.confirmUnsaved).not.toHaveBeenCalled();
  });

  it.each(['stop', 'restart'] as const)(
    'goes on without it where a person agrees: %s',
    async kind => {
      const context = setUp({ kind });
      await answer('insist', planet, context);
      expect(context.confirmUnsaved).toHaveBeenCalledWith(kind, planet);
      expect(context.model.orders).toEqual([`force the ${kind} of openrefine`]);
    }
  );

  it('is left as it is where they do not, or it has ended meanwhile', async () => {
    const context = setUp();
    context.confirmUnsaved.mockResolvedValueOnce(false);
    await answer('insist', planet, context);
    context.confirmUnsaved.mockImplementationOnce(() => {
      context.model.operations = [];
      return Promise.resolve(true);
    });
    await answer('insist', planet, context);
    await answer('keep', planet, context);
    expect(context.model.orders).toEqual([]);
  });

  it('says why it could not be', async () => {
    const context = setUp();
    context.model.refusal = new VCEError('not-cancellable');
    await answer('keep', planet, context);
    expect(context.report).toHaveBeenCalledWith(context.model.refusal);
  });

  it('is asked about with the safe button in focus', async () => {
    const asked = jest.mocked(showDialog);
    asked.mockResolvedValueOnce({
      button: Dialog.cancelButton(),
      isChecked: null,
      value: null
    });
    expect(await confirmUnsaved('stop', planet, trans)).toBe(false);
    const [told] = asked.mock.lastCall ?? [];
    expect(told?.title).toBe('Stop OpenRefine without saving?');
    expect(told?.buttons?.[told.defaultButton ?? -1]?.accept).toBe(false);
  });
});

describe('The panel meanwhile', () => {
  afterEach(cleanup);

  it('leads to the question, keeps it open, or goes on without', async () => {
    const { model } = setUp({ message: 'OpenRefine has a question.' });
    const { run } = show(model);
    expect(row('openrefine').textContent).toContain('has a question');
    expect(buttons('openrefine')).toEqual([
      'Log of OpenRefine',
      'Open OpenRefine',
      'Keep OpenRefine open',
      'Stop OpenRefine without saving…'
    ]);
    await act(async () => {
      fireEvent.click(button('Stop OpenRefine without saving…'));
      await Promise.resolve();
    });
    expect(run).toHaveBeenLastCalledWith('insist', planet);
  });

  it('gives the focus to what takes the place of its buttons', () => {
    const { model } = setUp();
    show(model);
    button('Keep OpenRefine open').focus();
    act(() => {
      model.operations = [];
      model.become({});
    });
    expect(document.activeElement).toBe(button('Stop OpenRefine'));
  });
});
