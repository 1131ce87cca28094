import {
  cleanup,
  fireEvent,
  render,
  screen,
  within
} from '@testing-library/react';
import axe from 'axe-core';
import * as React from 'react';

import { BackupPart } from '../widgets/backupPart';
import { BackupsView } from '../widgets/backupsView';
import { ResetPreviewView } from '../widgets/resetDialog';
import { RestoreView } from '../widgets/restoreDialog';
import { firstChoice } from '../restoreWish';
import { backup, FakeBackups, item, postgres, preview } from './backupFixtures';
import { FakeModel, operation, serviceError, trans } from './fixtures';

const main = (part: React.JSX.Element) =>
  render(
    <main>
      <h1>Lab</h1>
      {part}
    </main>
  );

const expectAccessible = async (node: Element): Promise<void> => {
  const { violations } = await axe.run(node, {
    // Needs a real layout; the browser's test looks at it.
    rules: { 'color-contrast': { enabled: false } }
  });
  expect(violations).toEqual([]);
};

afterEach(cleanup);

describe('a service in the panel', () => {
  const show = (model: FakeModel, backups = new FakeBackups()) => {
    const props = {
      model,
      backups,
      trans,
      service: model.services[0]!,
      state: model.stateOf('postgres'),
      allowed: jest.fn(() => true),
      run: jest.fn(),
      cancel: jest.fn(),
      bringOver: jest.fn(),
      explain: jest.fn()
    };
    return { ...props, ...main(<BackupPart {...props} />) };
  };

  it('says that there is no backup, and offers one', async () => {
    const { run, container } = show(new FakeModel(postgres()));
    expect(screen.getByText('No backup yet')).not.toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Back up PostgreSQL' }));
    expect(run).toHaveBeenCalledWith('back-up', expect.anything());
    await expectAccessible(container);
  });

  it('does not take a file from elsewhere for a backup of this work', () => {
    const upload = backup({ id: 'theirs', reason: 'upload' });
    const model = new FakeModel(postgres({ last_backup: upload }));
    show(model, new FakeBackups(upload));
    expect(screen.getByText('No backup yet')).not.toBeNull();
    cleanup();
    show(model, new FakeBackups(upload, backup()));
    expect(screen.getByText('Backed up 2 min ago, proven')).not.toBeNull();
  });

  it('lets running work be cancelled', () => {
    const model = new FakeModel(postgres());
    model.operations = [operation({ kind: 'backup', service: 'postgres' })];
    const { cancel } = show(model);
    fireEvent.click(
      screen.getByRole('button', { name: 'Cancel the backup of PostgreSQL' })
    );
    expect(cancel).toHaveBeenCalledWith(model.operations[0]);
  });

  it('tells how the last work failed, and what to do about it', () => {
    const backups = new FakeBackups();
    backups.failed = operation({
      kind: 'backup',
      state: 'failed',
      error: serviceError({ message: 'The disk is full.' })
    });
    const { explain } = show(new FakeModel(postgres()), backups);
    expect(screen.getByText('The disk is full.')).not.toBeNull();
    fireEvent.click(
      screen.getByRole('button', { name: /^What to do about it/ })
    );
    expect(explain).toHaveBeenCalledWith(backups.failed);
  });

  it('brings data over that this release cannot open, by one click', async () => {
    const error = serviceError({
      code: 'data-wrong-version',
      hint: 'Restore proven.tar from the list of its backups.'
    });
    const model = new FakeModel(postgres({ state: 'failed', error }));
    const proven = backup({
      id: 'proven',
      path: 'backups/postgres-backup/proven.tar'
    });
    const newer = backup({ id: 'newer' });
    const { bringOver, container } = show(
      model,
      new FakeBackups(newer, proven)
    );
    fireEvent.click(
      screen.getByRole('button', { name: /^Bring the data over/ })
    );
    expect(bringOver).toHaveBeenCalledWith(proven);
    await expectAccessible(container);
    cleanup();
    show(new FakeModel(postgres()), new FakeBackups(proven));
    expect(screen.queryByRole('button', { name: /^Bring/ })).toBeNull();
  });

  it('is silent where nothing can be backed up', () => {
    const { container } = show(
      new FakeModel(postgres({ capabilities: ['start', 'stop'] }))
    );
    expect(container.querySelector('button')).toBeNull();
  });
});

describe('the list of backups', () => {
  const show = (...all: ReturnType<typeof backup>[]) => {
    const backups = new FakeBackups(...all);
    const props = {
      model: new FakeModel(postgres()),
      backups,
      trans,
      allowed: () => true,
      run: jest.fn(async (_action: string, one: { id: string }) => {
        await backups.remove(one.id);
      }),
      allowedTo: () => true,
      backUp: jest.fn(),
      upload: jest.fn(),
      everything: jest.fn()
    };
    return { ...props, ...main(<BackupsView {...props} />) };
  };

  it('says what there is, and of what is gone only the name', async () => {
    const copy = backup({ id: 'copy', reason: 'safety' });
    const old = backup({ id: 'old', service: 'gone', verified: 'failed' });
    const { backups, container, rerender, ...props } = show(copy, old);
    backups.undone = {
      copy: { kind: 'reset', service: 'postgres', finished: null }
    };
    rerender(
      <main>
        <h1>Lab</h1>
        <BackupsView backups={backups} {...props} />
      </main>
    );
    expect(
      screen.getByText('Safety copy: undoes the reset of PostgreSQL')
    ).not.toBeNull();
    expect(screen.getByText('Undo the reset')).not.toBeNull();
    expect(screen.getByText('Does not restore')).not.toBeNull();
    expect(
      screen.getByRole('heading', { name: 'gone (no longer here)' })
    ).not.toBeNull();
    await expectAccessible(container);
  });

  it('says what to do where there is none', () => {
    const { upload } = show();
    expect(screen.getByText(/^No backup of PostgreSQL yet/)).not.toBeNull();
    fireEvent.click(
      screen.getByRole('button', { name: 'Upload a file for PostgreSQL…' })
    );
    expect(upload).toHaveBeenCalled();
  });

  it('keeps the focus near when a backup goes', async () => {
    const { run } = show(backup());
    fireEvent.click(screen.getByRole('button', { name: /^Delete/ }));
    await run.mock.results[0]!.value;
    await Promise.resolve();
    expect(document.activeElement?.textContent).toBe('PostgreSQL');
  });
});

describe('what is asked', () => {
  it('says what a reset takes away, leaves and brings', async () => {
    const { container } = main(
      <ResetPreviewView preview={preview()} title="PostgreSQL" trans={trans} />
    );
    const row = screen.getByRole('row', { name: /visit/ });
    expect(within(row).getByText('12,345 rows')).not.toBeNull();
    for (const words of [
      /^This goes: 1 database, 1 table/,
      'Your backups',
      /Empty, as on the first day/,
      /about 6 MB of the 9.0 GB/
    ]) {
      expect(screen.getByText(words)).not.toBeNull();
    }
    await expectAccessible(container);
  });

  it('lets a restore go in place or beside', async () => {
    const one = backup({
      contents: [item(), item({ key: 'other', name: 'other' })]
    });
    const choose = jest.fn();
    const choice = firstChoice(one, [postgres()], []);
    const props = {
      backup: one,
      services: [postgres()],
      taken: [],
      choose,
      trans
    };
    const { container, rerender } = main(
      <RestoreView {...props} choice={choice} />
    );
    fireEvent.click(screen.getByLabelText('Database other'));
    expect(choose).toHaveBeenLastCalledWith({
      ...choice,
      items: new Set(['tm351'])
    });
    await expectAccessible(container);
    rerender(
      <main>
        <h1>Lab</h1>
        <RestoreView {...props} choice={{ ...choice, how: 'beside' }} />
      </main>
    );
    fireEvent.change(screen.getByLabelText('What'), {
      target: { value: 'other' }
    });
    expect(choose).toHaveBeenLastCalledWith(
      expect.objectContaining({ item: 'other', name: 'other_2' })
    );
    await expectAccessible(container);
  });
});
