import { dataAllowed } from './backupCommands';
import type { BackupAction, IBackup } from './backupTokens';
import { concernedBy, nameable, replaceable } from './restoreWish';
import type { IVCEModel } from './tokens';

/** Whether something can be done with a backup now; undefined where it never can. */
export function allowedWith(
  action: BackupAction,
  backup: IBackup,
  model: IVCEModel
): boolean | undefined {
  const services = concernedBy(backup, model.services);
  const now = (capability: 'backup' | 'restore'): boolean =>
    services.every(service => dataAllowed(capability, service, model));
  const can = (capability: 'backup' | 'restore'): boolean =>
    services.length > 0 &&
    services.every(({ capabilities }) => capabilities.includes(capability));
  switch (action) {
    case 'pin':
    case 'delete':
      return model.connected;
    case 'verify':
      return can('backup') ? now('backup') : undefined;
    case 'undo':
      return can('restore') && replaceable(services)
        ? now('restore')
        : undefined;
    case 'restore':
      return can('restore') &&
        (replaceable(services) || nameable(backup, services).length > 0)
        ? now('restore')
        : undefined;
  }
}
