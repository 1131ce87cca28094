import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  type IRunningSessions,
  IRunningSessionManagers
} from '@jupyterlab/running';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { allows } from '../actions';
import { CommandIDs } from '../commands';
import { serviceIcon } from '../icons';
import { IVCEModel, TRANSLATION_DOMAIN } from '../tokens';
import { memoryWords, stateWords } from '../words';

/** Lists the services that run beside the kernels and terminals that do. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ou-vce-ext:running',
  description: 'Lists the services that run among all that runs.',
  autoStart: true,
  requires: [IVCEModel],
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IVCEModel,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null
  ): void => {
    if (!managers) {
      return;
    }
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const runningChanged = new Signal<unknown, unknown>({});
    model.changed.connect(() => runningChanged.emit(undefined));

    const item = (name: string): IRunningSessions.IRunningItem[] => {
      const service = model.service(name);
      const state = model.stateOf(name);
      if (!service || !allows('stop', service, state)) {
        return [];
      }
      const { title, memory_bytes: memory } = service;
      const words = stateWords(state, service, model.serverNow(), trans);
      return [
        {
          context: name,
          label: () => title,
          labelTitle: () => `${title}: ${words}`,
          detail: () => (memory === null ? words : memoryWords(memory, trans)),
          icon: () => serviceIcon(service),
          open: () => void app.commands.execute(CommandIDs.open, { name }),
          // With the same questions as everywhere.
          shutdown: () => void app.commands.execute(CommandIDs.stop, { name })
        }
      ];
    };

    managers.add({
      name: trans.__('Services'),
      running: () => model.services.flatMap(({ name }) => item(name)),
      refreshRunning: () => void model.refresh(),
      runningChanged,
      // JupyterLab has asked by then.
      shutdownAll: () =>
        void app.commands.execute(CommandIDs.stopAll, { asked: true }),
      shutdownLabel: trans.__('Stop'),
      shutdownAllLabel: trans.__('Stop all'),
      shutdownAllConfirmationText: trans.__(
        'Are you sure you want to stop all services? Each is given time to save its data.'
      )
    });
  }
};
