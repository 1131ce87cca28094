import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette, IPaletteItem } from '@jupyterlab/apputils';
import type { ILauncher } from '@jupyterlab/launcher';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import { appsPlugin } from '../plugins/apps';
import { commandsPlugin } from '../plugins/commands';
import { launcherPlugin } from '../plugins/launcher';
import { palettePlugin } from '../plugins/menus';
import type { IBranding, IVCEApps, IVCEBranding } from '../tokens';
import { AppTab } from '../widgets/appTab';
import { BASE, database, FakeModel, FakeServer, service } from './fixtures';

/** As much of JupyterLab as the plugins touch. */
function fakeApp() {
  const shell = {
    add: jest.fn((_widget: Widget, _area: string) => undefined),
    activateById: jest.fn()
  };
  const commands = new CommandRegistry();
  const serviceManager = { serverSettings: new FakeServer().settings };
  const app = { commands, shell, serviceManager } as unknown;
  return { app: app as JupyterFrontEnd, shell, commands };
}

/** Only whether there is one matters. */
const shellOfLab: unknown = {};
const LAB_SHELL = shellOfLab as ILabShell;

describe('appsPlugin', () => {
  const setUp = (labShell: ILabShell | null) => {
    const { app, shell } = fakeApp();
    const apps = appsPlugin.activate(
      app,
      new FakeModel(service()),
      labShell,
      null,
      null
    ) as IVCEApps;
    const open = jest.spyOn(window, 'open');
    return { apps, shell, open };
  };

  const fakeWindow = () => {
    const opened = { closed: false, focus: jest.fn(), opener: window };
    return opened as unknown as Window & { closed: boolean };
  };

  it('opens an app in one tab, and comes back to it', () => {
    const { apps, shell } = setUp(LAB_SHELL);
    const tab = apps.open(service()) as AppTab;
    expect(tab).toBeInstanceOf(AppTab);
    expect(tab.id).toBe('vce-app-openrefine');
    expect(tab.options.url).toBe(`${BASE}vce/app/openrefine/`);
    expect(shell.add).toHaveBeenCalledWith(tab, 'main');
    // Given back once more, the launcher would move it, and its page would load anew.
    expect(apps.open(service())).toBeNull();
    expect(shell.add).toHaveBeenCalledTimes(1);
    expect(shell.activateById).toHaveBeenLastCalledWith(tab.id);
    tab.dispose();
    const again = apps.open(service());
    expect(again).not.toBe(tab);
    again!.dispose();
  });

  it('opens an app in one browser tab, where it asks for that', () => {
    const { apps, shell, open } = setUp(LAB_SHELL);
    const opened = fakeWindow();
    open.mockReturnValue(opened);
    const genie = service({ name: 'genie', open: 'browser' });
    expect(apps.open(genie)).toBeNull();
    expect(String(open.mock.calls[0]![0])).toBe(`${BASE}vce/app/openrefine/`);
    expect(opened.opener).toBeNull();
    apps.open(genie);
    expect(open).toHaveBeenCalledTimes(1);
    expect(opened.focus).toHaveBeenCalled();
    opened.closed = true;
    apps.open(genie);
    expect(open).toHaveBeenCalledTimes(2);
    expect(shell.add).not.toHaveBeenCalled();
  });

  it('leaves every app to the browser where there are no tabs', () => {
    const { apps, shell, open } = setUp(null);
    open.mockReturnValue(null);
    expect(apps.open(service())).toBeNull();
    expect(open).toHaveBeenCalledTimes(1);
    expect(shell.add).not.toHaveBeenCalled();
  });
});

describe('launcherPlugin', () => {
  it('keeps one tile per service', () => {
    const items = new Set<ILauncher.IItemOptions>();
    const launcher = {
      add: (item: ILauncher.IItemOptions) => {
        items.add(item);
        return { isDisposed: false, dispose: () => items.delete(item) };
      }
    };
    const model = new FakeModel(service());
    const { app } = fakeApp();
    void launcherPlugin.activate(app, model, launcher, null, null);
    const names = () => [...items].map(({ args }) => args!.name);
    expect(names()).toEqual(['openrefine']);
    expect([...items][0]).toMatchObject({
      command: 'vce:open',
      category: 'VCE'
    });
    const before = [...items];
    model.become({ openrefine: 'ready' });
    expect([...items]).toEqual(before);
    model.services = [database(), service()];
    model.changed.emit({ services: true, connected: false, states: [] });
    expect(names()).toEqual(['postgres', 'openrefine']);
  });

  it('does without a launcher', () => {
    const { app } = fakeApp();
    expect(
      () => void launcherPlugin.activate(app, new FakeModel(), null, null, null)
    ).not.toThrow();
  });
});

describe('palettePlugin', () => {
  it('has everything under the name that the module gave', () => {
    const items = new Set<IPaletteItem>();
    const palette = {
      addItem: (item: IPaletteItem) => {
        items.add(item);
        return { isDisposed: false, dispose: () => items.delete(item) };
      }
    } as unknown as ICommandPalette;
    const changed = new Signal<IVCEBranding, void>({} as IVCEBranding);
    const branding = { current: null as IBranding | null, changed };
    const { app } = fakeApp();
    const model = new FakeModel(service());
    void palettePlugin.activate(app, model, palette, branding, null);
    const categories = () => [...new Set([...items].map(one => one.category))];
    expect(categories()).toEqual(['VCE']);
    const { size } = items;
    branding.current = { title: 'TM351 VCE' } as IBranding;
    changed.emit();
    expect(categories()).toEqual(['TM351 VCE']);
    expect(items.size).toBe(size);
  });
});

describe('commandsPlugin', () => {
  it('shows a log in one tab, or in the browser where there are no tabs', async () => {
    const open = jest.spyOn(window, 'open').mockReturnValue(null);
    for (const labShell of [LAB_SHELL, null]) {
      const { app, shell, commands } = fakeApp();
      const model = new FakeModel(service());
      void commandsPlugin.activate(
        app,
        model,
        null,
        null,
        null,
        labShell,
        null,
        null
      );
      await commands.execute('vce:show-logs', { name: 'openrefine' });
      await commands.execute('vce:show-logs', { name: 'openrefine' });
      expect(shell.add).toHaveBeenCalledTimes(labShell ? 1 : 0);
      expect(open).toHaveBeenCalledTimes(labShell ? 0 : 2);
      shell.add.mock.calls.forEach(([view]) => view.dispose());
    }
    expect(open.mock.calls[0]![0]).toBe(
      `${BASE}vce/api/services/openrefine/logs?lines=1000`
    );
  });

  it('opens the status page beside JupyterLab', async () => {
    const open = jest.spyOn(window, 'open').mockReturnValue(null);
    const { app, commands } = fakeApp();
    void commandsPlugin.activate(
      app,
      new FakeModel(),
      null,
      null,
      null,
      null,
      null,
      null
    );
    await commands.execute('vce:show-status');
    expect(open).toHaveBeenCalledWith(
      `${BASE}vce/status`,
      '_blank',
      'noopener'
    );
  });
});
