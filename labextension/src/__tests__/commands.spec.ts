import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { addCommands, CommandIDs, type ICommandContext } from '../commands';
import { vceIcon } from '../icons';
import { VCEError } from '../request';
import type { IStopQuestion, IUnsaved } from '../tokens';
import { database, FakeModel, service, serviceError, trans } from './fixtures';

function setUp(model = new FakeModel(service(), database())) {
  const tab = new Widget();
  const card = new Widget();
  const context = {
    commands: new CommandRegistry(),
    model,
    trans,
    apps: { open: jest.fn(() => tab), page: () => null, isShown: () => false },
    connections: { show: jest.fn(() => card) },
    panel: { reveal: jest.fn(), isVisible: false, addToRows: jest.fn() },
    icon: jest.fn(() => vceIcon),
    showLogs: jest.fn(() => new Widget()),
    showStatus: jest.fn(),
    copyReport: jest.fn(() => Promise.resolve()),
    unsaved: jest.fn(() => Promise.resolve(NOTHING)),
    confirm: jest.fn((_question: IStopQuestion): Promise<boolean> =>
      Promise.resolve(true)
    ),
    confirmUnsaved: jest.fn(() => Promise.resolve(true)),
    report: jest.fn()
  } satisfies ICommandContext;
  const added = addCommands(context);
  return { ...context, added, tab, card };
}

const NOTHING: IUnsaved = { projects: [], unfinished: false };
const OPENREFINE = { name: 'openrefine' };
const POSTGRES = { name: 'postgres' };

describe('commands', () => {
  it('are labelled by the service they are for', () => {
    const { commands } = setUp();
    const { open, start, stop, restart, showLogs } = CommandIDs;
    expect(
      [open, start, stop, restart, showLogs].map(id =>
        commands.label(id, OPENREFINE)
      )
    ).toEqual([
      'Open OpenRefine',
      'Start OpenRefine',
      'Stop OpenRefine',
      'Restart OpenRefine',
      'Log of OpenRefine'
    ]);
    expect(commands.label(open, { ...OPENREFINE, tile: true })).toBe(
      'OpenRefine'
    );
    expect(commands.label(stop, { name: 'nobody' })).toBe('Stop a service');
  });

  it('can be chosen only where they make sense', () => {
    const { commands, model } = setUp();
    expect(commands.isEnabled(CommandIDs.start, OPENREFINE)).toBe(true);
    expect(commands.isEnabled(CommandIDs.stop, OPENREFINE)).toBe(false);
    model.become({ openrefine: 'ready' });
    expect(commands.isEnabled(CommandIDs.start, OPENREFINE)).toBe(false);
    expect(commands.isEnabled(CommandIDs.stop, OPENREFINE)).toBe(true);
    model.lose({ code: 'unreachable', message: '', hint: '' });
    expect(commands.isEnabled(CommandIDs.stop, OPENREFINE)).toBe(false);
    expect(commands.isEnabled(CommandIDs.start, {})).toBe(false);
  });

  it('tell menus when they have changed', () => {
    const { commands, model, added } = setUp();
    const changed = jest.fn();
    commands.commandChanged.connect(changed);
    model.become({ openrefine: 'ready' });
    expect(changed).toHaveBeenCalled();
    added.dispose();
    expect(commands.hasCommand(CommandIDs.open)).toBe(false);
    changed.mockClear();
    model.become({ openrefine: 'stopped' });
    expect(changed).not.toHaveBeenCalled();
  });

  it('open an app and start it first where it does not run', async () => {
    const { commands, model, apps, tab, panel } = setUp();
    expect(await commands.execute(CommandIDs.open, OPENREFINE)).toBe(tab);
    expect(apps.open).toHaveBeenCalledWith(model.services[0]);
    expect(model.orders).toEqual(['start openrefine']);
    model.become({ openrefine: 'ready' });
    await commands.execute(CommandIDs.open, OPENREFINE);
    expect(model.orders).toEqual(['start openrefine']);
    expect(panel.reveal).not.toHaveBeenCalled();
  });

  it('open within the click, or the browser would block the tab', () => {
    const { commands, apps } = setUp();
    void commands.execute(CommandIDs.open, OPENREFINE);
    expect(apps.open).toHaveBeenCalled();
  });

  it('show how a database is reached, started where it was stopped', async () => {
    const { card, commands, connections, model, apps } = setUp();
    model.become({ postgres: 'stopped' });
    expect(await commands.execute(CommandIDs.open, POSTGRES)).toBe(card);
    expect(apps.open).not.toHaveBeenCalled();
    expect(connections.show).toHaveBeenCalledWith(model.services[1]);
    expect(model.orders).toEqual(['start postgres']);
    await commands.execute(CommandIDs.connect, POSTGRES);
    expect(connections.show).toHaveBeenCalledTimes(2);
    expect(model.orders).toEqual(['start postgres']);
  });

  it('show in the panel why something cannot be opened', async () => {
    const { commands, model, apps, panel } = setUp();
    model.become({
      openrefine: { state: 'unavailable', error: serviceError() }
    });
    await commands.execute(CommandIDs.open, OPENREFINE);
    expect(apps.open).not.toHaveBeenCalled();
    expect(panel.reveal).toHaveBeenCalledWith('openrefine');
    expect(model.orders).toEqual([]);
  });

  it.each(['start', 'stop', 'restart'] as const)(
    'pass a %s on, and report when it is refused',
    async verb => {
      const { commands, model, report } = setUp();
      await commands.execute(CommandIDs[verb], OPENREFINE);
      expect(model.orders).toEqual([`${verb} openrefine`]);
      expect(report).not.toHaveBeenCalled();
      model.refusal = new VCEError('conflict', 'Being backed up.');
      await commands.execute(CommandIDs[verb], OPENREFINE);
      expect(report).toHaveBeenCalledWith(model.refusal);
    }
  );

  it.each(['stop', 'restart'] as const)(
    'ask before a %s takes services with it',
    async verb => {
      const web = service({ name: 'web', requires: ['postgres'] });
      const page = service({ name: 'page', requires: ['web'] });
      const idle = service({ name: 'idle', requires: ['postgres'] });
      const model = new FakeModel(database(), web, page, idle);
      const { commands, confirm } = setUp(model);
      model.become({ postgres: 'ready', web: 'ready', page: 'starting' });
      confirm.mockResolvedValueOnce(false);
      await commands.execute(CommandIDs[verb], POSTGRES);
      expect(confirm).toHaveBeenCalledWith({
        verb,
        service: model.services[0],
        others: [model.services[1], model.services[2]],
        unsaved: NOTHING
      });
      expect(model.orders).toEqual([]);
      await commands.execute(CommandIDs[verb], POSTGRES);
      expect(model.orders).toEqual([`${verb} postgres`]);
      confirm.mockClear();
      await commands.execute(CommandIDs[verb], { name: 'page' });
      expect(confirm).not.toHaveBeenCalled();
    }
  );

  it('ask before a stop where something is not saved', async () => {
    const { commands, confirm, model, unsaved } = setUp();
    model.become({ openrefine: 'ready' });
    const found = { projects: ['Rivers'], unfinished: false };
    unsaved.mockResolvedValue(found);
    confirm.mockResolvedValueOnce(false);
    await commands.execute(CommandIDs.stop, OPENREFINE);
    expect(confirm.mock.lastCall).toEqual([
      { verb: 'stop', service: model.services[0], others: [], unsaved: found }
    ]);
    expect(model.orders).toEqual([]);
    unsaved.mockResolvedValue({ projects: [], unfinished: true });
    await commands.execute(CommandIDs.stop, OPENREFINE);
    expect(confirm).toHaveBeenCalledTimes(2);
    expect(model.orders).toEqual(['stop openrefine']);
  });

  it('start all there is, and stop all once that is agreed', async () => {
    const absent = service({ name: 'absent', state: 'unavailable' });
    const model = new FakeModel(service(), database(), absent);
    const { commands, confirm } = setUp(model);
    await commands.execute(CommandIDs.startAll);
    expect(model.orders).toEqual(['start openrefine']);
    model.become({ openrefine: 'ready' });
    expect(commands.isEnabled(CommandIDs.startAll)).toBe(false);
    confirm.mockResolvedValueOnce(false);
    await commands.execute(CommandIDs.stopAll);
    expect(model.orders).toHaveLength(1);
    await commands.execute(CommandIDs.stopAll);
    expect(confirm.mock.lastCall).toEqual([
      {
        verb: 'stop',
        service: null,
        others: model.services.slice(0, 2),
        unsaved: NOTHING
      }
    ]);
    expect(model.orders.slice(1)).toEqual(['stop postgres', 'stop openrefine']);
  });

  it('ask again who was asked by JupyterLab only for what is not saved', async () => {
    const { commands, confirm, model, unsaved } = setUp();
    model.become({ openrefine: 'ready', postgres: 'stopped' });
    await commands.execute(CommandIDs.stopAll, { asked: true });
    expect(confirm).not.toHaveBeenCalled();
    expect(model.orders).toEqual(['stop openrefine']);
    unsaved.mockResolvedValue({ projects: [], unfinished: true });
    await commands.execute(CommandIDs.stopAll, { asked: true });
    expect(confirm).toHaveBeenCalledTimes(1);
  });

  it('ask the server first where nothing is known yet', async () => {
    const model = new FakeModel();
    model.loaded = false;
    const { commands, apps } = setUp(model);
    model.refresh = () => {
      model.services = [service()];
      return Promise.resolve();
    };
    await commands.execute(CommandIDs.open, OPENREFINE);
    expect(apps.open).toHaveBeenCalled();
  });

  it('show panel, log and status page', async () => {
    const { commands, panel, showLogs, showStatus, model } = setUp();
    await commands.execute(CommandIDs.showPanel);
    expect(panel.reveal).toHaveBeenLastCalledWith(undefined);
    await commands.execute(CommandIDs.showPanel, POSTGRES);
    expect(panel.reveal).toHaveBeenLastCalledWith('postgres');
    await commands.execute(CommandIDs.showLogs, OPENREFINE);
    expect(showLogs).toHaveBeenCalledWith(model.services[0]);
    await commands.execute(CommandIDs.showStatus);
    expect(showStatus).toHaveBeenCalled();
  });
});
