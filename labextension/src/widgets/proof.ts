import type { LabIcon } from '@jupyterlab/ui-components';

import type { Proof } from '../backupTokens';
import { stateIcons } from '../icons';

/** How a proof looks; CSS colours it by `data-vce-proof` around it. */
export const PROOF_ICONS: Readonly<Record<Proof, LabIcon>> = {
  verified: stateIcons.ready,
  unverified: stateIcons.unknown,
  failed: stateIcons.failed
};
