import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { appsPlugin } from './plugins/apps';
import { commandsPlugin } from './plugins/commands';
import { launcherPlugin } from './plugins/launcher';
import { menuPlugin, palettePlugin } from './plugins/menus';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';

export * from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  modelPlugin,
  appsPlugin,
  panelPlugin,
  commandsPlugin,
  launcherPlugin,
  palettePlugin,
  menuPlugin
];

export default plugins;
