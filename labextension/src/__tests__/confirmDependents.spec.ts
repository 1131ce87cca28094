import { Dialog, showDialog } from '@jupyterlab/apputils';

import { confirmDependents } from '../widgets/confirmDependents';
import { database, service, trans } from './fixtures';

jest.mock('@jupyterlab/apputils', () => ({
  ...jest.requireActual<object>('@jupyterlab/apputils'),
  showDialog: jest.fn()
}));

const show = jest.mocked(showDialog);
const genie = service({ name: 'genie', title: 'Genie' });
const maps = service({ name: 'maps', title: 'Maps' });

function answer(button: Dialog.IButton): void {
  show.mockResolvedValueOnce({ button, isChecked: null, value: null });
}

describe('confirmDependents', () => {
  it('names what goes, and has the safe button in focus', async () => {
    answer(Dialog.cancelButton());
    const asked = confirmDependents('stop', database(), [genie], trans);
    expect(await asked).toBe(false);
    const [told] = show.mock.lastCall ?? [];
    expect(told?.title).toBe('Stop PostgreSQL?');
    expect(told?.body).toBe(
      'Genie needs PostgreSQL, and will be stopped first. It is given time to save.'
    );
    expect(told?.buttons?.[told.defaultButton ?? -1]?.accept).toBe(false);
  });

  it('says that a restart brings them back', async () => {
    answer(Dialog.warnButton());
    const all = [genie, maps];
    const asked = confirmDependents('restart', database(), all, trans);
    expect(await asked).toBe(true);
    expect(show.mock.lastCall?.[0]?.body).toBe(
      'Genie, Maps need PostgreSQL. They will be stopped first, given time to save, and started again.'
    );
  });
});
