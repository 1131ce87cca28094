import type { Situation } from './connection';
import { type IPage, makeButton } from './page';
import type { IStatus } from './service';
import type { Say, Word } from './words';

const STATE_WORDS: Record<IStatus['state'], Word> = {
  ready: 'again',
  unresponsive: 'silent',
  starting: 'starting',
  backoff: 'starting',
  stopping: 'stopping',
  stopped: 'stopped',
  failed: 'failed',
  unavailable: 'failed',
  unreachable: 'unreachable',
  'logged out': 'logged out'
};
const AT_REST: readonly IStatus['state'][] = [
  'stopped',
  'failed',
  'unavailable'
];

/** Says in words how it stands with the program and its screen. */
export class Teller {
  constructor(
    private readonly page: Pick<IPage, 'field' | 'problem' | 'status'>,
    private readonly say: Say,
    /** The server's own page starts the program, and leads back here. */
    private readonly start: () => void,
    /** Whether the first connection waits for the program's start. */
    private _starting = false
  ) {}

  /** Say it in the line that screen readers follow; the same is not said twice. */
  tell(word: Word, more?: Record<string, string>): void {
    const words = this.say(word, more);
    if (this.page.status.textContent !== words) {
      this.page.status.textContent = words;
    }
  }

  draw(situation: Situation): void {
    const { field, problem } = this.page;
    document.body.dataset.screen = situation.how;
    problem.hidden = true;
    problem.replaceChildren();
    if (situation.how === 'lost') {
      this._drawLost(situation.status);
    } else {
      const inside =
        situation.how === 'connected' && document.activeElement === field;
      const first = situation.how === 'connecting' && this._starting;
      this.tell(inside ? 'inside' : first ? 'starting' : situation.how);
    }
    this._starting &&= situation.how === 'connecting';
  }

  /** Say so where the program that is shown is not the one that was shown before. */
  noteRestarts({ restarts }: IStatus): void {
    if (restarts !== undefined) {
      if (this._known !== undefined && restarts > this._known) {
        this.tell('crashed');
      }
      this._known = restarts;
    }
  }

  private _drawLost({ error, state }: IStatus): void {
    const { problem } = this.page;
    this.tell(STATE_WORDS[state], { reason: error?.message ?? '' });
    if (!AT_REST.includes(state)) {
      return;
    }
    for (const words of [
      error?.message ?? this.say(STATE_WORDS[state]),
      error?.hint
    ]) {
      if (words) {
        const line = document.createElement('p');
        line.textContent = words;
        problem.append(line);
      }
    }
    // An end that somebody wanted is no alarm.
    problem.dataset.state = state;
    problem.append(makeButton(this.say, 'start', this.start));
    problem.hidden = false;
  }

  private _known: number | undefined;
}
