import { allows } from './actions';
import type { IService, IVCEModel } from './tokens';

/** The services that a start or stop of everything would concern now. */
export function concerned(
  verb: 'start' | 'stop',
  model: IVCEModel
): IService[] {
  return model.services.filter(service => {
    const state = model.stateOf(service.name);
    // What is not installed stays so, and what waits to be started again will be.
    const idle = verb === 'start' && state === 'unavailable';
    return !idle && allows(verb, service, state);
  });
}
