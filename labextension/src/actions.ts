import type { Action, Capability, IService, ShownState } from './tokens';

const START_FROM: readonly ShownState[] = [
  'stopped',
  'failed',
  'backoff',
  'unavailable'
];
const STOP_FROM: readonly ShownState[] = [
  'starting',
  'ready',
  'unresponsive',
  'backoff'
];
const RESTART_FROM: readonly ShownState[] = ['ready', 'unresponsive'];
const OPEN_FROM: readonly ShownState[] = [
  'stopped',
  'starting',
  'ready',
  'unresponsive',
  'backoff',
  'failed'
];

/** States that end by themselves: worth looking at again soon. */
export const TRANSITIONAL: readonly ShownState[] = [
  'starting',
  'stopping',
  'backoff'
];

/** Whether an action makes sense for a service in a state. Nothing does while nobody knows it. */
export function allows(
  action: Action,
  service: IService,
  state: ShownState
): boolean {
  const can = (capability: Capability): boolean =>
    service.capabilities.includes(capability);
  switch (action) {
    case 'open':
      return can('open') && service.url !== null && OPEN_FROM.includes(state);
    case 'connect':
      return service.connection !== null && state !== 'unavailable';
    case 'start':
      return can('start') && START_FROM.includes(state);
    case 'stop':
      return can('stop') && STOP_FROM.includes(state);
    case 'restart':
      return can('start') && can('stop') && RESTART_FROM.includes(state);
    case 'logs':
      return can('logs') && state !== 'unknown';
  }
}

/** Whether opening a service has to start it first. */
export function needsStart(service: IService): boolean {
  return (
    service.capabilities.includes('start') &&
    (service.state === 'stopped' || service.state === 'failed')
  );
}
