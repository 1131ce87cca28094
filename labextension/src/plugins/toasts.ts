import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { Surprises } from '../surprises';
import { type IToastContext, OperationToasts } from '../toasts';
import {
  IVCEApps,
  IVCEModel,
  IVCEPanel,
  IVCESettings,
  IVCEToasts,
  TRANSLATION_DOMAIN
} from '../tokens';

/** Says in the corner how operations go on and end. */
export const toastsPlugin: JupyterFrontEndPlugin<IVCEToasts> = {
  id: 'ou-vce-ext:toasts',
  description: 'Says in the corner how operations go on and end.',
  autoStart: true,
  provides: IVCEToasts,
  requires: [IVCEModel],
  optional: [IVCEApps, IVCEPanel, IVCESettings, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    apps: IVCEApps | null,
    panel: IVCEPanel | null,
    settings: IVCESettings | null,
    translator: ITranslator | null
  ): IVCEToasts => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const context: IToastContext = {
      model,
      panel,
      notes: {
        emit: Notification.emit,
        dismiss: Notification.dismiss,
        update: Notification.update
      },
      trans,
      seen: name => apps?.isShown(name) ?? false,
      open: name => void app.commands.execute(CommandIDs.open, { name }),
      wanted: () => settings?.toasts ?? true,
      report: () => void app.commands.execute(CommandIDs.copyReport),
      tell: message =>
        void showDialog({
          title: trans.__('What has been done'),
          body: message,
          buttons: [Dialog.okButton({ label: trans.__('Close') })]
        })
    };
    new Surprises(context);
    return new OperationToasts(context);
  }
};
