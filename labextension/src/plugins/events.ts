import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { IVCEModel } from '../tokens';

const OURS = 'https://schema.ou-vce-ext.org/events/';

/**
 * Takes Jupyter's events as hints to look: what is true is only what the server answers then.
 *
 * Where a proxy lets no WebSocket through, none come, and polling does alone.
 */
export const eventsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:events',
  description:
    'Looks at the services when the server hints that one has moved.',
  autoStart: true,
  requires: [IVCEModel],
  activate: (app: JupyterFrontEnd, model: IVCEModel): void => {
    app.serviceManager.events.stream.connect((_, { schema_id }) => {
      if (schema_id.startsWith(OURS)) {
        model.hint();
      }
    });
  }
};
