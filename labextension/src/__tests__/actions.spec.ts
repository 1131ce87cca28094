import { allows, needsStart } from '../actions';
import type { Action, ShownState } from '../tokens';
import { database, service } from './fixtures';

const ACTIONS: Action[] = ['open', 'start', 'stop', 'restart', 'logs'];

/** The initials of what can be done. */
function allowed(one: ReturnType<typeof service>, state: ShownState): string {
  return ACTIONS.filter(action => allows(action, one, state)).join(' ');
}

describe('allows', () => {
  it.each<[ShownState, string]>([
    ['unavailable', 'start logs'],
    ['stopped', 'open start logs'],
    ['starting', 'open stop logs'],
    ['ready', 'open stop restart logs'],
    ['unresponsive', 'open stop restart logs'],
    ['stopping', 'logs'],
    ['backoff', 'open start stop logs'],
    ['failed', 'open start logs'],
    ['unknown', '']
  ])('says what an app that is %s can be asked', (state, actions) => {
    expect(allowed(service(), state)).toBe(actions);
  });

  it('never opens what has no app', () => {
    expect(allowed(database(), 'ready')).toBe('stop restart logs');
  });

  it('leaves alone what others run', () => {
    const adopted = database({ capabilities: ['logs'] });
    expect(allowed(adopted, 'ready')).toBe('logs');
    expect(needsStart({ ...adopted, state: 'stopped' })).toBe(false);
  });
});
