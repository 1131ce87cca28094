import type { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBackup, IVCEBackups } from './backupTokens';
import type { IDisposable } from '@lumino/disposable';
import type { IProblem, IService } from './tokens';

/** As much of JupyterLab's notifications as is used here. */
export type UploadNotes = Pick<typeof Notification, 'emit' | 'dismiss'> & {
  update(change: Notification.IUpdate<string>): unknown;
};

/** What sending a file works with. */
export interface IUploadContext {
  readonly backups: IVCEBackups;
  readonly notes: UploadNotes;
  readonly trans: TranslationBundle;
  /** Have the browser ask before the page is left, which would cut the file off. */
  readonly guard: () => IDisposable | null;
  /** Tell in full why a file was refused. */
  readonly refused: (file: string, problem: IProblem) => void;
  /** What a person most likely wants next. */
  readonly restore: (backup: IBackup) => void;
}

/** Let the person choose a file of their computer; nothing happens where they choose none. */
export function chooseFile(chosen: (file: File) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.onchange = () => {
    const file = input.files?.[0];
    if (file) {
      chosen(file);
    }
  };
  input.click();
}

/** Send a file, with a note of how far it is that can stop it. */
export async function sendFile(
  file: File,
  service: IService,
  context: IUploadContext
): Promise<void> {
  const { backups, notes, trans, guard, refused, restore } = context;
  const stop = new AbortController();
  const id = notes.emit(trans.__('Uploading %1', file.name), 'in-progress', {
    autoClose: false,
    progress: 0,
    actions: [{ label: trans.__('Cancel'), callback: () => stop.abort() }]
  });
  const guarding = guard();
  try {
    const backup = await backups.upload(
      service.name,
      file,
      progress => notes.update({ id, progress }),
      stop.signal
    );
    notes.update({
      id,
      message: trans.__(
        '%1 is among the backups of %2. Nothing else has changed.',
        file.name,
        service.title
      ),
      type: 'success',
      autoClose: 15_000,
      actions: [
        { label: trans.__('Restore…'), callback: () => restore(backup) }
      ]
    });
  } catch (reason) {
    notes.dismiss(id);
    const problem = reason as IProblem;
    if (problem.code !== 'cancelled') {
      refused(file.name, problem);
    }
  } finally {
    guarding?.dispose();
  }
}
