import type { TranslationBundle } from '@jupyterlab/translation';

import type { IVCEModel, ShownState } from './tokens';
import { stateAnnouncement, workWords } from './words';

/** All services in a few words, and the state that deserves to be seen. */
export interface ISummary {
  readonly state: ShownState;
  readonly words: string;
}

/** What a person should know before all else, the first of these that holds. */
const WORST: readonly ShownState[] = ['failed', 'unresponsive', 'backoff'];

/** The worst state, else the operation that runs, else how many run. */
export function summary(model: IVCEModel, trans: TranslationBundle): ISummary {
  if (!model.connected) {
    return {
      state: 'unknown',
      words: model.problem
        ? trans.__('Services: server not reached')
        : trans.__('Services…')
    };
  }
  const { services } = model;
  const operation = model.operations[0];
  if (operation) {
    const state = operation.kind === 'stop' ? 'stopping' : 'starting';
    return { state, words: workWords(operation, model, trans) };
  }
  for (const state of WORST) {
    const one = services.filter(service => service.state === state);
    if (one[0]) {
      const { length } = one;
      return {
        state,
        words:
          length === 1
            ? stateAnnouncement({ ...one[0], error: null }, state, trans)
            : trans._n(
                '%1 service needs you',
                '%1 services need you',
                length,
                length
              )
      };
    }
  }
  const running = services.filter(({ state }) => state === 'ready').length;
  return {
    state: running > 0 ? 'ready' : 'stopped',
    words: trans._n(
      '%1 service running',
      '%1 services running',
      running,
      running
    )
  };
}
