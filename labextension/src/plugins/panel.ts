import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { COMMAND_OF, CommandIDs } from '../commands';
import {
  IVCEBranding,
  IVCEModel,
  IVCEPanel,
  TRANSLATION_DOMAIN
} from '../tokens';
import { Announcer } from '../widgets/announcer';
import { VCEPanel } from '../widgets/panel';
import { placeOf } from './panelPlace';

/** Shows the services in the sidebar, and says aloud what happens to them. */
export const panelPlugin: JupyterFrontEndPlugin<IVCEPanel> = {
  id: 'ou-vce-ext:panel',
  description: 'Lists the services in the sidebar.',
  autoStart: true,
  provides: IVCEPanel,
  requires: [IVCEModel],
  optional: [ILayoutRestorer, IVCEBranding, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    restorer: ILayoutRestorer | null,
    branding: IVCEBranding | null,
    translator: ITranslator | null
  ): IVCEPanel => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const panel = new VCEPanel(
      {
        model,
        branding,
        trans,
        run: (action, { name }) =>
          app.commands.execute(COMMAND_OF[action], { name }),
        report: () => void app.commands.execute(CommandIDs.copyReport),
        everything: verb =>
          app.commands.execute(
            verb === 'start' ? CommandIDs.startAll : CommandIDs.stopAll
          ),
        showStatus: () => void app.commands.execute(CommandIDs.showStatus)
      },
      () => place.activate()
    );
    const place = placeOf(panel, app);
    restorer?.add(panel, panel.id);

    Widget.attach(new Announcer(model, trans), document.body);
    return panel;
  }
};
