import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { COMMAND_OF, CommandIDs } from '../commands';
import { IVCEModel, IVCEPanel, TRANSLATION_DOMAIN } from '../tokens';
import { Announcer } from '../widgets/announcer';
import { VCEPanel } from '../widgets/panel';

/** Shows the services in the sidebar, and says aloud what happens to them. */
export const panelPlugin: JupyterFrontEndPlugin<IVCEPanel> = {
  id: 'ou-vce-ext:panel',
  description: 'Lists the services in the sidebar.',
  autoStart: true,
  provides: IVCEPanel,
  requires: [IVCEModel],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): IVCEPanel => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const panel = new VCEPanel(
      {
        model,
        trans,
        run: (action, { name }) =>
          app.commands.execute(COMMAND_OF[action], { name }),
        copy: text => Clipboard.copyToSystem(text),
        showStatus: () => void app.commands.execute(CommandIDs.showStatus)
      },
      id => app.shell.activateById(id)
    );
    app.shell.add(panel, 'left', { rank: 250, type: 'VCE' });
    restorer?.add(panel, panel.id);

    Widget.attach(new Announcer(model, trans), document.body);

    model.operationEnded.connect((_, operation) => {
      const name = operation.service;
      // Who looks at the panel sees it there.
      if (operation.state === 'failed' && operation.error && !panel.isVisible) {
        const { message, hint } = operation.error;
        Notification.error(`${message} ${hint}`.trim(), {
          autoClose: false,
          actions: [
            {
              label: trans.__('Show'),
              callback: () => panel.reveal(name ?? undefined)
            }
          ]
        });
      }
    });
    return panel;
  }
};
