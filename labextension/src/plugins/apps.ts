import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { COMMAND_OF } from '../commands';
import { leaveLanguage } from '../request';
import {
  type IService,
  IVCEApps,
  IVCEModel,
  IVCESettings,
  TRANSLATION_DOMAIN
} from '../tokens';
import { AppTab, type IAppTabOptions } from '../widgets/appTab';

/** Brings a tab back after a reload of the page; nobody needs to call it. */
const RESTORE = 'vce:restore-app';

/** Opens the apps of services, each in one place only. */
export const appsPlugin: JupyterFrontEndPlugin<IVCEApps> = {
  id: 'ou-vce-ext:apps',
  description: 'Opens the apps of services in tabs.',
  autoStart: true,
  provides: IVCEApps,
  requires: [IVCEModel],
  optional: [ILabShell, ILayoutRestorer, IVCESettings, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    settings: IVCESettings | null,
    translator: ITranslator | null
  ): IVCEApps => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { baseUrl } = app.serviceManager.serverSettings;
    leaveLanguage(baseUrl);
    const tabs = new WidgetTracker<AppTab>({ namespace: 'vce-app' });
    const windows = new Map<string, Window>();

    const createTab = (kept: Kept): AppTab => {
      const tab = new AppTab({
        ...kept,
        // By its name and not by what was kept: the server may have moved since.
        url: `${URLExt.join(baseUrl, 'vce', 'app', kept.name)}/`,
        model,
        trans,
        run: (action, { name }) =>
          app.commands.execute(COMMAND_OF[action], { name })
      });
      void tabs.add(tab);
      tab.moved.connect(() => void tabs.save(tab));
      app.shell.add(tab, 'main');
      return tab;
    };

    const openTab = (service: IService): Widget | null => {
      const open = tabs.find(tab => tab.options.name === service.name);
      if (open) {
        app.shell.activateById(open.id);
        return null;
      }
      const { name, title, kind, icon } = service;
      const tab = createTab({ name, title, kind, icon, path: '' });
      app.shell.activateById(tab.id);
      return tab;
    };

    const openWindow = ({ name, url }: IService): null => {
      const open = windows.get(name);
      if (open && !open.closed) {
        open.focus();
      } else if (url) {
        const opened = window.open(new URL(url, baseUrl));
        if (opened) {
          opened.opener = null;
          windows.set(name, opened);
        }
      }
      return null;
    };

    if (labShell && restorer) {
      app.commands.addCommand(RESTORE, {
        label: trans.__('Bring back the tab of a service'),
        describedBy: { args: { type: 'object' } },
        execute: args => createTab(args as unknown as Kept)
      });
      void restorer.restore(tabs, {
        command: RESTORE,
        args: ({ path, options: { name, title, kind, icon } }) => ({
          name,
          title,
          kind,
          icon,
          path
        }),
        name: tab => tab.options.name
      });
    }

    return {
      // Where there are no tabs side by side (Jupyter Notebook), the browser has them.
      open: service =>
        labShell && placeOf(service, settings) === 'tab'
          ? openTab(service)
          : openWindow(service),
      page: name =>
        tabs.find(tab => tab.options.name === name)?.document ?? null,
      isShown: name =>
        tabs.find(tab => tab.options.name === name)?.isVisible ?? false
    };
  }
};

/** Where an app opens: where its student wants it, else where its module does. */
function placeOf(
  service: IService,
  settings: IVCESettings | null
): 'tab' | 'browser' {
  const chosen = settings?.open ?? 'declared';
  return chosen === 'declared' ? service.open : chosen;
}

/** What the layout keeps of a tab. */
type Kept = Pick<IAppTabOptions, 'name' | 'title' | 'kind' | 'icon' | 'path'>;
