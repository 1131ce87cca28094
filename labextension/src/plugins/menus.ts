import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import { DisposableSet } from '@lumino/disposable';

import { BackupCommandIDs } from '../backupCommands';
import { shortName } from '../branding';
import { CommandIDs } from '../commands';
import { serviceIcon } from '../icons';
import {
  type IService,
  IVCEBranding,
  IVCEModel,
  TRANSLATION_DOMAIN
} from '../tokens';
import { followServices } from './followServices';

/** What concerns no single service, in groups as they stand in the menu. */
const GENERAL = [
  [CommandIDs.startAll, CommandIDs.stopAll],
  [BackupCommandIDs.backUpEverything, BackupCommandIDs.showBackups],
  [CommandIDs.showPanel, CommandIDs.showStatus, CommandIDs.copyReport]
];

/** Adds the commands to the palette, where there is one. */
export const palettePlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:palette',
  description: 'Adds the services to the command palette.',
  autoStart: true,
  requires: [IVCEModel],
  optional: [ICommandPalette, IVCEBranding, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    model: IVCEModel,
    palette: ICommandPalette | null,
    branding: IVCEBranding | null,
    translator: ITranslator | null
  ): void => {
    if (!palette) {
      return;
    }
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    let items = new DisposableSet();
    const fill = (): void => {
      const category = shortName(branding, trans);
      items.dispose();
      items = DisposableSet.from([
        ...GENERAL.flat().map(command =>
          palette.addItem({ command, category })
        ),
        ...model.services.flatMap(service =>
          commandsOf(service).map(command =>
            palette.addItem({ command, category, args: { name: service.name } })
          )
        )
      ]);
    };
    fill();
    followServices(model, branding, fill);
  }
};

/** Adds a main menu with the services, where there is a menu bar. */
export const menuPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:menu',
  description: 'Adds a main menu with the services.',
  autoStart: true,
  requires: [IVCEModel],
  optional: [IMainMenu, IVCEBranding, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    mainMenu: IMainMenu | null,
    branding: IVCEBranding | null,
    translator: ITranslator | null
  ): void => {
    if (!mainMenu) {
      return;
    }
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const menu = new MenuSvg({ commands: app.commands });
    menu.id = 'jp-mainmenu-vce';

    const submenu = (service: IService): MenuSvg => {
      const entry = new MenuSvg({ commands: app.commands });
      entry.title.label = service.title;
      entry.title.icon = serviceIcon(service);
      for (const command of commandsOf(service)) {
        entry.addItem({ command, args: { name: service.name } });
      }
      return entry;
    };
    const fill = (): void => {
      menu.title.label = shortName(branding, trans);
      const former = menu.items.flatMap(item => item.submenu ?? []);
      menu.clearItems();
      former.forEach(entry => entry.dispose());
      for (const service of model.services) {
        menu.addItem({ type: 'submenu', submenu: submenu(service) });
      }
      for (const group of GENERAL) {
        menu.addItem({ type: 'separator' });
        group.forEach(command => menu.addItem({ command }));
      }
    };

    fill();
    followServices(model, branding, fill);
    mainMenu.addMenu(menu, true, { rank: 900 });
  }
};

/** What can ever be done with a service of its kind; its state says what can be done now. */
function commandsOf({ capabilities, connection }: IService): string[] {
  const can = (capability: IService['capabilities'][number]): boolean =>
    capabilities.includes(capability);
  return [
    ...(can('open') ? [CommandIDs.open] : []),
    ...(connection ? [CommandIDs.connect] : []),
    ...(can('start') ? [CommandIDs.start] : []),
    ...(can('stop') ? [CommandIDs.stop] : []),
    ...(can('start') && can('stop') ? [CommandIDs.restart] : []),
    ...(can('logs') ? [CommandIDs.showLogs] : []),
    ...(can('backup') ? [BackupCommandIDs.backUp] : []),
    ...(can('restore') ? [BackupCommandIDs.restore] : []),
    ...(can('reset') ? [BackupCommandIDs.reset] : [])
  ];
}
