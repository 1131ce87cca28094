import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { appsPlugin } from './plugins/apps';
import { backupsPlugin } from './plugins/backups';
import { brandingPlugin } from './plugins/branding';
import { commandsPlugin } from './plugins/commands';
import { connectionsPlugin } from './plugins/connections';
import { eventsPlugin } from './plugins/events';
import { launcherPlugin } from './plugins/launcher';
import { menuPlugin, palettePlugin } from './plugins/menus';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { runningPlugin } from './plugins/running';
import { settingsPlugin } from './plugins/settings';
import { statusBarPlugin } from './plugins/statusBar';
import { toastsPlugin } from './plugins/toasts';

export * from './backupTokens';
export * from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  modelPlugin,
  brandingPlugin,
  settingsPlugin,
  eventsPlugin,
  appsPlugin,
  connectionsPlugin,
  panelPlugin,
  commandsPlugin,
  launcherPlugin,
  palettePlugin,
  menuPlugin,
  toastsPlugin,
  statusBarPlugin,
  runningPlugin,
  backupsPlugin
];

export default plugins;
