/** Clocks that differ by less than this (ms) are taken as equal: `Date` counts whole seconds. */
const SLACK = 2_000;

/** The server's clock, as far as its answers tell: the browser's may be wrong. */
export class ServerClock {
  /** In milliseconds since 1970. */
  now(): number {
    return Date.now() + this._offset;
  }

  /** Take over what an answer's `Date` says (ms since 1970, null where it says nothing). */
  set(date: number | null): void {
    // Half a second on average has passed since the second that `Date` names began.
    const offset = date === null ? 0 : date + 500 - Date.now();
    this._offset = Math.abs(offset) < SLACK ? 0 : offset;
  }

  private _offset = 0;
}
