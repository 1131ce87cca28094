import {
  ILabShell,
  ILabStatus,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { type Dialog, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';

import { allowedWith } from '../backupActions';
import {
  addBackupCommands,
  BackupCommandIDs,
  dataAllowed
} from '../backupCommands';
import { BackupOrders, undoOf } from '../backupOrders';
import { BackupsApi } from '../backupsApi';
import { BackupsModel } from '../backupsModel';
import {
  type BackupAction,
  DATA_KINDS,
  type IBackup,
  IVCEBackups
} from '../backupTokens';
import { CommandIDs } from '../commands';
import { UndoMemory } from '../remembered';
import {
  type IService,
  IVCEModel,
  IVCEPanel,
  IVCEToasts,
  type RowPart,
  TRANSLATION_DOMAIN
} from '../tokens';
import { chooseFile, sendFile } from '../uploading';
import { BackupPart } from '../widgets/backupPart';
import {
  confirmDelete,
  confirmWithoutCopy,
  offerStart,
  showFailure,
  showProblem
} from '../widgets/backupQuestions';
import { BackupsTab } from '../widgets/backupsTab';
import { askFolders } from '../widgets/everythingDialog';
import { confirmReset } from '../widgets/resetDialog';
import { askRestore } from '../widgets/restoreDialog';
import { backupsTabs } from './backupsTabs';

/** Never taken along: what is in them is in the backup already, or would be in itself. */
const OWN_FOLDERS: readonly string[] = ['backups', 'openrefine_projects'];

/** Backs up, proves, restores and resets, from the panel, the menus and a list of its own. */
export const backupsPlugin: JupyterFrontEndPlugin<IVCEBackups> = {
  id: 'ou-vce-ext:backups',
  description: 'Backs services up, restores and resets them.',
  autoStart: true,
  provides: IVCEBackups,
  requires: [IVCEModel],
  optional: [
    IVCEPanel,
    IVCEToasts,
    ILabShell,
    ILayoutRestorer,
    ILabStatus,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    panel: IVCEPanel | null,
    toasts: IVCEToasts | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    status: ILabStatus | null,
    translator: ITranslator | null
  ): IVCEBackups => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { serverSettings, contents } = app.serviceManager;
    const backups = new BackupsModel(
      new BackupsApi(serverSettings),
      model,
      new UndoMemory(serverSettings.baseUrl)
    );
    const titleOf = (name: string | null): string =>
      name === null
        ? trans.__('Everything')
        : (model.service(name)?.title ?? name);

    // JupyterLab shows one dialog at a time: the list that is one makes room for what it asks.
    let overlay: Dialog<unknown> | null = null;
    const free =
      <A extends unknown[], R>(ask: (...args: A) => R) =>
      (...args: A): R => {
        overlay?.dispose();
        return ask(...args);
      };

    const report = (): void => void app.commands.execute(CommandIDs.copyReport);

    const orders = new BackupOrders({
      model,
      backups,
      report,
      ask: {
        reset: free((preview, service) =>
          confirmReset(preview, service, trans)
        ),
        start: free(service => offerStart(service, trans)),
        restore: free((backup, services, taken) =>
          askRestore(backup, services, taken, trans)
        ),
        remove: free((backup, undoes) =>
          confirmDelete(backup, undoes, titleOf(backup.service), trans)
        ),
        folders: free((services, folders) =>
          askFolders(services, folders, trans)
        ),
        failure: free((operation, mayInsist) =>
          showFailure(operation, mayInsist, trans)
        ),
        withoutCopy: free((kind, title) =>
          confirmWithoutCopy(kind, title, trans)
        )
      },
      folders: async () => {
        const root = await contents.get('', { content: true });
        const listed = root.content as { name: string; type: string }[];
        return listed
          .filter(
            ({ name, type }) =>
              type === 'directory' && !OWN_FOLDERS.includes(name)
          )
          .map(({ name }) => name)
          .sort((one, other) => one.localeCompare(other));
      },
      refused: free(
        problem =>
          void showProblem(trans.__('That did not work'), problem, trans)
      )
    });

    const upload = (service: IService): void =>
      chooseFile(
        file =>
          void sendFile(file, service, {
            backups,
            trans,
            notes: {
              emit: Notification.emit,
              dismiss: Notification.dismiss,
              update: Notification.update
            },
            guard: () => status?.setDirty() ?? null,
            refused: free(
              (name, problem) =>
                void showProblem(
                  trans.__('%1 was not accepted', name),
                  problem,
                  trans
                )
            ),
            restore: backup => void orders.restore(backup)
          })
      );

    const act = async (
      action: BackupAction,
      backup: IBackup
    ): Promise<void> => {
      switch (action) {
        case 'restore':
          return orders.restore(backup);
        case 'undo':
          return orders.undo(backup.id);
        case 'verify':
          return orders.verify(backup);
        case 'pin':
          return orders.pin(backup);
        case 'delete':
          if (await orders.remove(backup)) {
            toasts?.withdraw(backup.id);
          }
      }
    };

    const create = (): BackupsTab =>
      new BackupsTab({
        model,
        backups,
        trans,
        allowed: (action, backup) => allowedWith(action, backup, model),
        run: act,
        allowedTo: (action, service) =>
          dataAllowed(
            action === 'upload' ? 'restore' : 'backup',
            service,
            model
          ),
        backUp: service => void orders.backUp(service),
        upload,
        everything: () => void orders.backUpEverything()
      });

    const show = backupsTabs({
      app,
      create,
      labShell,
      restorer,
      trans,
      shown: dialog => {
        overlay = dialog;
      }
    });

    addBackupCommands({ commands: app.commands, model, trans, orders, show });

    const Part: RowPart = ({ service, state }) => (
      <BackupPart
        service={service}
        state={state}
        model={model}
        backups={backups}
        trans={trans}
        bringOver={({ id }) => void orders.undo(id)}
        allowed={(action, one) =>
          action === 'backups' ||
          dataAllowed(action === 'reset' ? 'reset' : 'backup', one, model)
        }
        run={(action, { name }) =>
          void app.commands.execute(
            {
              'back-up': BackupCommandIDs.backUp,
              reset: BackupCommandIDs.reset,
              backups: BackupCommandIDs.showBackups
            }[action],
            { name }
          )
        }
        cancel={({ id }) => void model.cancel(id).catch(() => undefined)}
        explain={operation => void orders.explain(operation)}
      />
    );
    panel?.addToRows(Part);
    // What failed lately and what undoes what, for the panel; later news come with each end.
    void backups.refresh();

    for (const kind of DATA_KINDS) {
      toasts?.addEndActions(kind, operation => {
        // One that failed is told in the place of its service, and there what to do about it.
        if (operation.state === 'failed' && operation.service === null) {
          return [
            {
              label: trans.__('What to do about it'),
              run: () => void orders.explain(operation)
            }
          ];
        }
        const safety = undoOf(operation);
        return safety
          ? [
              {
                label: trans._p('verb', 'Undo'),
                needs: safety,
                run: () => void orders.undo(safety)
              }
            ]
          : [];
      });
    }
    return backups;
  }
};
