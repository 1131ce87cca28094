import { BackupOrders, copyFailed, type IBackupContext } from '../backupOrders';
import { BackupsApi } from '../backupsApi';
import { BackupsModel } from '../backupsModel';
import { contentsWords, countWords, newestWords } from '../backupWords';
import type { IRestoreWish } from '../backupTokens';
import { UndoMemory } from '../remembered';
import { VCEError } from '../request';
import { firstChoice, freeName, nameable, wishOf } from '../restoreWish';
import { backup, FakeBackups, item, postgres, preview } from './backupFixtures';
import {
  FakeModel,
  FakeServer,
  operation,
  serviceError,
  trans
} from './fixtures';

describe('BackupsModel', () => {
  const setUp = () => {
    const server = new FakeServer();
    const services = new FakeModel(postgres());
    const copy = backup({ id: 'copy-1', reason: 'safety' });
    server.replies.set('GET api/backups', {
      json: { backups: [backup(), copy] }
    });
    server.replies.set('GET api/operations', { json: { operations: [] } });
    const api = new BackupsApi(server.settings);
    const memory = new UndoMemory(server.settings.baseUrl);
    const create = () => new BackupsModel(api, services, memory);
    return { server, services, copy, create, model: create() };
  };

  const undone = operation({
    id: 'op2',
    kind: 'reset',
    service: 'postgres',
    state: 'succeeded',
    result: { safety_copy: 'copy-1' }
  });

  beforeEach(() => localStorage.clear());

  it('knows the backups, what undoes what, and how the last work failed', async () => {
    const { server, model, copy } = setUp();
    const failed = operation({
      id: 'op3',
      kind: 'backup',
      service: 'postgres',
      state: 'failed',
      error: serviceError()
    });
    server.replies.set('GET api/operations', {
      json: { operations: [failed, undone] }
    });
    await model.refresh();
    expect(model.backups).toEqual([backup(), copy]);
    expect(model.undoes('copy-1')).toMatchObject({ kind: 'reset' });
    expect(model.undoes('copy-2')).toBeUndefined();
    expect(model.failure('postgres')).toEqual(failed);
    expect(model.failure('mongo')).toBeUndefined();
    model.dispose();
  });

  it('remembers what a copy undoes longer than the server does, but no longer than the copy', async () => {
    const { server, model, create } = setUp();
    server.replies.set('GET api/operations', {
      json: { operations: [undone] }
    });
    await model.refresh();
    server.replies.set('GET api/operations', { json: { operations: [] } });
    await model.refresh();
    const reloaded = create();
    await reloaded.refresh();
    for (const one of [model, reloaded]) {
      expect(one.undoes('copy-1')).toMatchObject({
        kind: 'reset',
        service: 'postgres'
      });
    }
    server.replies.set('GET api/backups', { json: { backups: [] } });
    await reloaded.refresh();
    expect(reloaded.undoes('copy-1')).toBeUndefined();
    const later = create();
    await later.refresh();
    expect(later.undoes('copy-1')).toBeUndefined();
    [model, reloaded, later].forEach(one => one.dispose());
  });

  it('looks again when work on data has ended, and keeps what it knew when it cannot', async () => {
    const { server, services, model } = setUp();
    await model.refresh();
    services.operationEnded.emit(operation({ kind: 'start' }));
    expect(server.count('GET api/backups')).toBe(1);
    server.replies.delete('GET api/backups');
    const told = new Promise<void>(resolve => {
      model.changed.connect(() => resolve());
    });
    services.operationEnded.emit(operation({ kind: 'verify' }));
    await told;
    expect(model.problem?.code).toBe('unreachable');
    expect(model.backups).toHaveLength(2);
    model.dispose();
  });

  it('asks the server for just what the contract says', async () => {
    const { server, model } = setUp();
    const accepted = { status: 202, json: operation({ kind: 'restore' }) };
    server.replies.set('POST api/backups/b-1/restore', accepted);
    server.replies.set('PATCH api/backups/b-1', { json: backup() });
    server.replies.set('DELETE api/backups/b-1', { status: 200, text: '' });
    await model.restore('b-1', { as: 'tm351_2', items: ['tm351'] });
    await model.pin('b-1', true);
    await model.remove('b-1');
    const bodies = server.bodies
      .filter(Boolean)
      .map(one => JSON.parse(one) as object);
    expect(bodies).toEqual([
      { as: 'tm351_2', items: ['tm351'], without_safety_copy: false },
      { pinned: true }
    ]);
    expect(model.downloadUrl('a/b')).toContain(
      'vce/api/backups/a%2Fb/download'
    );
    model.dispose();
  });
});

describe('BackupOrders', () => {
  const setUp = (...backups: ReturnType<typeof backup>[]) => {
    const model = new FakeModel(postgres());
    const store = new FakeBackups(...backups);
    const ask = {
      reset: jest.fn(() => Promise.resolve(true)),
      start: jest.fn(() => Promise.resolve(true)),
      restore: jest.fn<
        Promise<IRestoreWish>,
        Parameters<IBackupContext['ask']['restore']>
      >(() => Promise.resolve({ as: null, items: null })),
      remove: jest.fn(() => Promise.resolve(true)),
      folders: jest.fn(() => Promise.resolve(['notebooks'])),
      failure: jest.fn(() => Promise.resolve('insist' as const)),
      withoutCopy: jest.fn(() => Promise.resolve(true))
    } satisfies IBackupContext['ask'];
    const refused = jest.fn();
    const orders = new BackupOrders({
      model,
      backups: store,
      ask,
      refused,
      report: jest.fn(),
      folders: () => Promise.resolve(['notebooks', 'data'])
    });
    return { model, store, ask, refused, orders };
  };

  it('resets only after it has said what goes', async () => {
    const { store, ask, orders } = setUp();
    ask.reset.mockResolvedValueOnce(false);
    await orders.reset(postgres());
    expect(store.orders).toEqual([]);
    await orders.reset(postgres());
    expect(ask.reset).toHaveBeenLastCalledWith(preview(), postgres());
    expect(store.orders).toEqual(['reset postgres']);
  });

  it('starts what has to run for that, if that is wanted', async () => {
    const { model, store, ask, orders } = setUp();
    const rests = postgres({ state: 'stopped' });
    ask.start.mockResolvedValueOnce(false);
    await orders.reset(rests);
    expect(model.orders).toEqual([]);
    const done = orders.reset(rests);
    await new Promise(resolve => setTimeout(resolve));
    expect(model.orders).toEqual(['start postgres']);
    model.operationEnded.emit(operation({ state: 'succeeded' }));
    await done;
    expect(store.orders).toEqual(['reset postgres']);
  });

  it('goes on without a safety copy only where one failed, after asking twice', async () => {
    const { store, ask, orders } = setUp();
    store.refusal = new VCEError('disk-full', 'No room.', '', 507);
    ask.withoutCopy.mockResolvedValueOnce(false);
    await orders.reset(postgres());
    expect(store.orders).toEqual(['reset postgres']);
    store.orders.length = 0;
    await orders.reset(postgres());
    expect(store.orders).toEqual(['reset postgres', 'reset postgres without']);
    const failed = operation({ kind: 'reset', state: 'failed' });
    const because = (code: string) =>
      copyFailed({ ...failed, error: serviceError({ code }) });
    expect(because('backup-unsuitable')).toBe(true);
    expect(because('not-answering')).toBe(false);
  });

  it('does the same with a restore, unless the copy is what a part comes from', async () => {
    const { store, ask, orders } = setUp();
    const whole = 'restore b {"as":null,"items":null}';
    const one = backup({ id: 'b' });
    const id = 'op1';
    await orders.restore(one);
    expect(store.orders.splice(0)).toEqual([whole]);
    const failed = operation({
      id,
      kind: 'restore',
      service: 'postgres',
      state: 'failed',
      error: serviceError({ code: 'data-corrupt' })
    });
    await orders.explain(failed);
    expect(ask.failure).toHaveBeenLastCalledWith(failed, true);
    expect(ask.withoutCopy).toHaveBeenLastCalledWith('restore', 'PostgreSQL');
    expect(store.orders.splice(0)).toEqual([`${whole} without`]);

    ask.restore.mockResolvedValueOnce({ as: null, items: ['tm351'] });
    store.refusal = new VCEError('disk-full', 'No room.', '', 507);
    await orders.restore(one);
    expect(store.orders.splice(0)).toEqual([
      'restore b {"as":null,"items":["tm351"]}'
    ]);
    await orders.restore(one);
    expect(store.orders).toEqual([whole, `${whole} without`]);
  });

  it('undoes without a question', async () => {
    const { store, orders } = setUp();
    await orders.undo('copy-1');
    expect(store.orders).toEqual(['restore copy-1 {"as":null,"items":null}']);
  });

  it('tells what is refused', async () => {
    const { store, refused, orders } = setUp();
    store.refusal = new VCEError('conflict', 'In the way.');
    await orders.backUp(postgres());
    expect(refused).toHaveBeenCalledWith(store.refusal);
  });

  it('takes the folders along that are chosen, and deletes when asked', async () => {
    const { store, orders } = setUp(backup());
    await orders.backUpEverything();
    expect(await orders.remove(backup())).toBe(true);
    expect(store.orders).toEqual([
      'everything notebooks',
      `remove ${backup().id}`
    ]);
  });
});

describe('what a restore asks for', () => {
  it('puts beside what others made, and back what was made here', () => {
    const ours = firstChoice(backup(), [postgres()], []);
    expect(ours.how).toBe('replace');
    expect(wishOf(ours, backup())).toEqual({ as: null, items: null });
    const theirs = backup({ reason: 'upload' });
    const choice = firstChoice(theirs, [postgres()], ['tm351', 'tm351_2']);
    expect(choice).toMatchObject({ how: 'beside', name: 'tm351_3' });
    expect(wishOf(choice, theirs)).toEqual({ as: 'tm351_3', items: ['tm351'] });
    const outside = postgres({ capabilities: ['backup', 'restore'] });
    expect(firstChoice(backup(), [outside], []).how).toBe('beside');
  });

  it('asks for some, and for nothing where nothing is chosen', () => {
    const choice = firstChoice(backup(), [postgres()], []);
    const some = { ...choice, items: new Set(['tm351']) };
    expect(wishOf(some, backup())).toEqual({ as: null, items: ['tm351'] });
    expect(wishOf({ ...choice, items: new Set() }, backup())).toBeNull();
    expect(
      wishOf({ ...choice, how: 'beside', name: ' ' }, backup())
    ).toBeNull();
  });

  it('names what it means of a backup of everything', () => {
    const all = backup({
      service: null,
      reason: 'upload',
      contents: [item({ key: 'postgres:tm351' })]
    });
    const choice = firstChoice(all, [postgres()], []);
    expect(wishOf(choice, all)).toEqual({
      as: 'tm351_2',
      items: ['postgres:tm351']
    });
  });

  it('tells what is damaged, and puts it beside under no name', () => {
    const broken = item({ kind: 'project', key: '7', damaged: true });
    const whole = item({ kind: 'project', key: '8', count: 2 });
    const both = backup({ contents: [broken, whole] });
    expect(contentsWords(both.contents, trans)).toBe(
      '2 projects, 1 of them damaged'
    );
    expect(countWords(broken, trans)).toBe(
      'Cannot be opened: kept as its files'
    );
    expect(nameable(both, [postgres()]).map(({ key }) => key)).toEqual(['8']);
  });

  it('finds a free name', () => {
    expect(freeName(item({ name: 'a_2' }), ['a_2'])).toBe('a_3');
    const project = item({ kind: 'project', name: 'Roads' });
    expect(freeName(project, [])).toBe('Roads (2)');
  });
});

test('the newest backup in words', () => {
  const now = Date.parse('2026-01-01T10:05:30.000Z');
  const say = (verified: 'verified' | 'unverified' | 'failed') =>
    newestWords(
      {
        id: 'b',
        created: '2026-01-01T10:00:00.000Z',
        verified,
        reason: 'manual'
      },
      now,
      trans
    );
  expect(newestWords(null, now, trans)).toBe('No backup yet');
  expect(say('verified')).toBe('Backed up 5 min ago, proven');
  expect(say('unverified')).toBe('Backed up 5 min ago, not proven yet');
  expect(say('failed')).toBe('Backed up 5 min ago, but it does not restore');
});
