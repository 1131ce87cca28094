import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IVCEBackups, Proof } from '../backupTokens';
import { stateIcons } from '../icons';

/** How a proof looks; CSS colours it by `data-vce-proof` around it. */
export const PROOF_ICONS: Readonly<Record<Proof, LabIcon>> = {
  verified: stateIcons.ready,
  unverified: stateIcons.unknown,
  failed: stateIcons.failed
};

/** Draw again whenever the backups that are known change. */
export function useBackups(backups: IVCEBackups): void {
  const store = React.useMemo(() => {
    let version = 0;
    return {
      subscribe: (redraw: () => void) => {
        const slot = (): void => {
          version += 1;
          redraw();
        };
        backups.changed.connect(slot);
        return () => void backups.changed.disconnect(slot);
      },
      version: () => version
    };
  }, [backups]);
  React.useSyncExternalStore(store.subscribe, store.version);
}
