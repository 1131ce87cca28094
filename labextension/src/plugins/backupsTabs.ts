import type {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd
} from '@jupyterlab/application';
import { Dialog, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { BackupCommandIDs } from '../backupCommands';
import { BackupsTab } from '../widgets/backupsTab';
import { BodyDialog } from '../widgets/bodyDialog';

interface IBackupsTabsContext {
  readonly app: JupyterFrontEnd;
  readonly trans: TranslationBundle;
  readonly create: () => BackupsTab;
  readonly labShell: ILabShell | null;
  readonly restorer: ILayoutRestorer | null;
  /** The list is shown in a dialog. */
  readonly shown: (dialog: Dialog<unknown>) => void;
}

/**
 * Shows the list of backups, in one place only; what it gives shows it, at a service where one is
 * named, and returns its tab where that is new.
 */
export function backupsTabs(
  context: IBackupsTabsContext
): (name?: string) => Widget | null {
  const { app, trans, create, labShell, restorer, shown } = context;
  const tabs = new WidgetTracker<BackupsTab>({ namespace: 'vce-backups' });

  if (labShell && restorer) {
    void restorer.restore(tabs, {
      command: BackupCommandIDs.showBackups,
      name: () => BackupsTab.ID
    });
  }

  return name => {
    if (!labShell) {
      // Jupyter Notebook has room for one document only.
      const body = create();
      const dialog = new BodyDialog<unknown>({
        title: trans.__('Backups'),
        body,
        buttons: [Dialog.cancelButton({ label: trans.__('Close') })]
      });
      shown(dialog);
      // It ends without an answer where it makes room for a question.
      dialog.launch().catch(() => undefined);
      if (name) {
        body.reveal(name);
      }
      return null;
    }
    const open = tabs.currentWidget;
    const tab = open ?? create();
    if (!open) {
      void tabs.add(tab);
      app.shell.add(tab, 'main');
    }
    if (name) {
      tab.reveal(name);
    }
    app.shell.activateById(tab.id);
    return open ? null : tab;
  };
}
