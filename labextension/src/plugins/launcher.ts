import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableSet } from '@lumino/disposable';

import { shortName } from '../branding';
import { CommandIDs } from '../commands';
import { IVCEBranding, IVCEModel, TRANSLATION_DOMAIN } from '../tokens';
import { followServices } from './followServices';

/** Between notebooks (0) and consoles (20): where a student sees them without scrolling. */
const CATEGORY_RANK = 10;

/** Gives each service a tile in the launcher. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:launcher',
  description: 'Adds a tile for each service to the launcher.',
  autoStart: true,
  requires: [IVCEModel],
  optional: [ILauncher, IVCEBranding, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    model: IVCEModel,
    launcher: ILauncher | null,
    branding: IVCEBranding | null,
    translator: ITranslator | null
  ): void => {
    if (!launcher) {
      return;
    }
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    let tiles = new DisposableSet();
    followServices(model, branding, () => {
      const former = tiles;
      tiles = DisposableSet.from(
        model.services.map(({ name }, rank) =>
          launcher.add({
            command: CommandIDs.open,
            args: { name, tile: true },
            category: shortName(branding, trans),
            categoryRank: CATEGORY_RANK,
            rank
          })
        )
      );
      former.dispose();
    });
  }
};
