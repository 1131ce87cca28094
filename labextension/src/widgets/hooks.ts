import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

/** Draw again whenever something emits that what can be seen of it has changed. */
export function useChanges(source: {
  readonly changed: ISignal<unknown, unknown>;
}): void {
  const { changed } = source;
  const store = React.useMemo(() => {
    let version = 0;
    return {
      subscribe: (redraw: () => void) => {
        const slot = (): void => {
          version += 1;
          redraw();
        };
        changed.connect(slot);
        return () => void changed.disconnect(slot);
      },
      version: () => version
    };
  }, [changed]);
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
