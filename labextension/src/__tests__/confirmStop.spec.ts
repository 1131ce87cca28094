import { Dialog, showDialog } from '@jupyterlab/apputils';

import type { IStopQuestion } from '../tokens';
import { confirmStop, sentences } from '../widgets/confirmStop';
import { database, service, trans } from './fixtures';

jest.mock('@jupyterlab/apputils', () => ({
  ...jest.requireActual<object>('@jupyterlab/apputils'),
  showDialog: jest.fn()
}));

const show = jest.mocked(showDialog);
const genie = service({ name: 'genie', title: 'Genie' });
const maps = service({ name: 'maps', title: 'Maps' });
const SAVED = { projects: [], unfinished: false };

function question(changes: Partial<IStopQuestion>): IStopQuestion {
  return {
    verb: 'stop',
    service: database(),
    others: [],
    unsaved: SAVED,
    ...changes
  };
}

function answer(button: Dialog.IButton): void {
  show.mockResolvedValueOnce({ button, isChecked: null, value: null });
}

describe('confirmStop', () => {
  it('has the safe button in focus', async () => {
    answer(Dialog.cancelButton());
    const asked = confirmStop(question({ others: [genie] }), trans);
    expect(await asked).toBe(false);
    const [told] = show.mock.lastCall ?? [];
    expect(told?.title).toBe('Stop PostgreSQL?');
    expect(told?.buttons?.[told.defaultButton ?? -1]?.accept).toBe(false);
  });

  it.each([
    [{}, 'Save and stop'],
    [{ verb: 'restart' }, 'Save and restart'],
    [{ others: [genie] }, 'Stop them'],
    [{ service: null, others: [genie, maps] }, 'Stop all'],
    [{ unsaved: { projects: [], unfinished: true } }, 'Stop anyway']
  ] as const)('agrees to what is asked: %j', async (changes, label) => {
    answer(Dialog.warnButton());
    expect(await confirmStop(question(changes), trans)).toBe(true);
    expect(show.mock.lastCall?.[0]?.buttons?.at(-1)?.label).toBe(label);
  });

  it('names what goes with it', () => {
    expect(sentences(question({ others: [genie] }), trans)).toEqual([
      'Genie needs PostgreSQL, and will be stopped first. It is given time to save.'
    ]);
    const all = question({ verb: 'restart', others: [genie, maps] });
    expect(sentences(all, trans)).toEqual([
      'Genie, Maps need PostgreSQL. They will be stopped first, given time to save, and started again.'
    ]);
    const everything = question({ service: null, others: [genie, maps] });
    expect(sentences(everything, trans)).toEqual([
      'Genie, Maps. Each is given time to save its data.'
    ]);
  });

  it('says what is saved, and what would be lost', () => {
    const unsaved = { projects: ['Rivers', 'Lakes'], unfinished: true };
    const said = sentences(question({ unsaved }), trans);
    expect(said[0]).toContain('The projects “Rivers”, “Lakes” were changed');
    expect(said[1]).toContain('It would be lost');
  });
});
