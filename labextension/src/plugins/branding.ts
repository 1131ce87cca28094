import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { VCEApi } from '../api';
import { Branding } from '../branding';
import { IVCEBranding, IVCEModel } from '../tokens';

/** Knows what the module calls its environment, and how it looks. */
export const brandingPlugin: JupyterFrontEndPlugin<IVCEBranding> = {
  id: 'ou-vce-ext:branding',
  description: 'Knows what the module calls its environment.',
  autoStart: true,
  provides: IVCEBranding,
  requires: [IVCEModel],
  activate: (app: JupyterFrontEnd, model: IVCEModel): IVCEBranding =>
    new Branding(new VCEApi(app.serviceManager.serverSettings), model)
};
