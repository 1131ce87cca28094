import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IVCEModel, IVCEPanel, TRANSLATION_DOMAIN } from '../tokens';
import { StatusItem } from '../widgets/statusItem';

/** Says in the status bar how the services are, all in one. */
export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:status-bar',
  description: 'Says in the status bar how the services are.',
  autoStart: true,
  requires: [IVCEModel],
  optional: [IStatusBar, IVCEPanel, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    model: IVCEModel,
    statusBar: IStatusBar | null,
    panel: IVCEPanel | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    statusBar?.registerStatusItem('ou-vce-ext:status', {
      item: new StatusItem({ model, trans, onClick: () => panel?.reveal() }),
      align: 'left',
      rank: 10
    });
  }
};
