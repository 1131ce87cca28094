import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { ITranslator } from '@jupyterlab/translation';

import { VCEApi } from '../api';
import { VCEModel } from '../model';
import { TabMemory } from '../remembered';
import { IVCEModel } from '../tokens';

/** Knows how the services are. */
export const modelPlugin: JupyterFrontEndPlugin<IVCEModel> = {
  id: 'ou-vce-ext:model',
  description: 'Keeps track of the services of this environment.',
  autoStart: true,
  provides: IVCEModel,
  // Not called here: but once it is there, the page names its language, and requests do.
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd): IVCEModel =>
    new VCEModel(new VCEApi(app.serviceManager.serverSettings), new TabMemory())
};
