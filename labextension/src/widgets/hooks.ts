import * as React from 'react';

import type { IVCEModel } from '../tokens';

/** Draw again whenever something that can be seen has changed in the model. */
export function useModel(model: IVCEModel): void {
  const store = React.useMemo(() => {
    let version = 0;
    return {
      subscribe: (redraw: () => void) => {
        const slot = (): void => {
          version += 1;
          redraw();
        };
        model.changed.connect(slot);
        return () => void model.changed.disconnect(slot);
      },
      version: () => version
    };
  }, [model]);
  React.useSyncExternalStore(store.subscribe, store.version);
}

/** Draw again every `interval` ms, so that what counts time stays true; null for never. */
export function useTicking(interval: number | null): void {
  const [, tick] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    if (interval === null) {
      return;
    }
    const timer = setInterval(tick, interval);
    return () => clearInterval(timer);
  }, [interval]);
}
