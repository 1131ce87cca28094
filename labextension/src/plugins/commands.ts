import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';

import { addCommands } from '../commands';
import { unsavedIn } from '../openrefine';
import {
  type IService,
  type IUnsaved,
  IVCEApps,
  IVCEConnections,
  IVCEModel,
  IVCEPanel,
  TRANSLATION_DOMAIN
} from '../tokens';
import { confirmStop } from '../widgets/confirmStop';
import { confirmUnsaved } from '../widgets/confirmUnsaved';
import { nameDialogs } from '../widgets/dialogNames';
import { spareDialogs } from '../widgets/doubleClicks';
import { copyReport } from '../widgets/report';
import { tileIcon } from '../widgets/tileIcon';
import { problemWords } from '../words';
import { logTabs } from './logTabs';

const NOTHING: IUnsaved = { projects: [], unfinished: false };

/** Gives every way to a service (tiles, menus, palette, panel) the same commands. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:commands',
  description: 'Adds the commands that start, stop and open services.',
  autoStart: true,
  requires: [IVCEModel],
  optional: [
    IVCEApps,
    IVCEConnections,
    IVCEPanel,
    ILabShell,
    ILayoutRestorer,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    apps: IVCEApps | null,
    connections: IVCEConnections | null,
    panel: IVCEPanel | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { baseUrl } = app.serviceManager.serverSettings;
    const icons = new Map<string, LabIcon>();

    nameDialogs();
    spareDialogs();

    const openPage = (...path: string[]): void => {
      window.open(URLExt.join(baseUrl, 'vce', ...path), '_blank', 'noopener');
    };

    const showLogs = logTabs({
      app,
      model,
      trans,
      labShell,
      restorer,
      // Jupyter Notebook has room for one document only: the browser shows the text.
      elsewhere: ({ name }) =>
        openPage('api', 'services', name, 'logs?lines=1000')
    });

    // One icon for as long as it would look the same: a tile keeps what it has drawn.
    const icon = (service: IService): LabIcon => {
      const key = [service.name, service.kind, service.icon].join(' ');
      const kept = icons.get(key) ?? tileIcon(service, model, trans);
      icons.set(key, kept);
      return kept;
    };

    addCommands({
      commands: app.commands,
      model,
      trans,
      apps,
      panel,
      icon,
      showLogs,
      connections,
      unsaved: async service =>
        service.kind === 'openrefine'
          ? unsavedIn(
              service,
              apps?.page(service.name) ?? null,
              app.serviceManager.serverSettings,
              model.serverNow()
            )
          : NOTHING,
      confirm: question => confirmStop(question, trans),
      confirmUnsaved: (verb, service) => confirmUnsaved(verb, service, trans),
      copyReport: () => copyReport(model, trans),
      showStatus: () => {
        // What a browser asks for of itself is its own language, not JupyterLab's.
        const { lang } = document.documentElement;
        openPage(lang ? `status?lang=${encodeURIComponent(lang)}` : 'status');
      },
      report: problem => {
        const { message, hint } = problemWords(problem, trans);
        Notification.error(`${message} ${hint}`.trim(), { autoClose: 8_000 });
      }
    });
  }
};
