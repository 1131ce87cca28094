import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Clipboard,
  Dialog,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { COMMAND_OF } from '../commands';
import { openNotebookWith } from '../notebooks';
import {
  type IService,
  IVCEConnections,
  IVCEModel,
  TRANSLATION_DOMAIN
} from '../tokens';
import { BodyDialog } from '../widgets/bodyDialog';
import { ConnectionCard } from '../widgets/connectionCard';

/** Brings a card back after a reload of the page; nobody needs to call it. */
const RESTORE = 'vce:restore-connection';

/** Shows how a database is reached, each in one place only. */
export const connectionsPlugin: JupyterFrontEndPlugin<IVCEConnections> = {
  id: 'ou-vce-ext:connections',
  description: 'Shows how notebooks and programs reach a database.',
  autoStart: true,
  provides: IVCEConnections,
  requires: [IVCEModel],
  optional: [ILabShell, ILayoutRestorer, IDefaultFileBrowser, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null
  ): IVCEConnections => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const cards = new WidgetTracker<ConnectionCard>({
      namespace: 'vce-connection'
    });

    const insert = (code: string): void => {
      openNotebookWith(code, browser?.model.path ?? '', app).catch(() => {
        Notification.error(
          trans.__(
            'No notebook could be made in this folder. Copy the lines into one of yours.'
          ),
          { autoClose: 8_000 }
        );
      });
    };

    const create = ({ name, title, kind, icon }: Kept): ConnectionCard =>
      new ConnectionCard({
        name,
        title,
        kind,
        icon,
        model,
        trans,
        run: (action, service) =>
          app.commands.execute(COMMAND_OF[action], { name: service.name }),
        copy: text => Clipboard.copyToSystem(text),
        insert
      });

    const createTab = (kept: Kept): ConnectionCard => {
      const card = create(kept);
      void cards.add(card);
      app.shell.add(card, 'main');
      return card;
    };

    if (labShell && restorer) {
      app.commands.addCommand(RESTORE, {
        label: trans.__('Bring back how to connect'),
        describedBy: { args: { type: 'object' } },
        execute: args => createTab(args as unknown as Kept)
      });
      void restorer.restore(cards, {
        command: RESTORE,
        args: ({ props: { name, title, kind, icon } }) => ({
          name,
          title,
          kind,
          icon
        }),
        name: card => card.props.name
      });
    }

    return {
      show: service => {
        const { name, title } = service;
        if (!labShell) {
          // Jupyter Notebook has room for one document only.
          void new BodyDialog({
            title,
            body: create(service),
            buttons: [Dialog.cancelButton({ label: trans.__('Close') })]
          }).launch();
          return null;
        }
        const open = cards.find(card => card.props.name === name);
        const card = open ?? createTab(service);
        app.shell.activateById(card.id);
        return open ? null : card;
      }
    };
  }
};

/** What the layout keeps of a card. */
type Kept = Pick<IService, 'name' | 'title' | 'kind' | 'icon'>;
