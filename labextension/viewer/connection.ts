import { Screen } from './screen';
import { askStatus, type IStatus } from './service';

/** Waits between two tries to connect (ms): doubled each time. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 8_000;
/** The same while the program is on its way: somebody waits for it. */
const LONGEST_START_WAIT = 1_000;
const ON_ITS_WAY: readonly IStatus['state'][] = [
  'starting',
  'backoff',
  'stopping'
];
/** A view that nobody can see is let go after this (ms). */
const UNSEEN = 10_000;
/** The clock's step, and how much longer than it means that the computer was asleep (ms). */
const TICK = 5_000;
const ASLEEP = 10_000;
/** Silence after which the server is asked for a sign of life, and after which it is given up (ms). */
const QUIET = 10_000;
const DEAD = 25_000;
/** How long a connection may take to come: the server waits with it for a program that starts. */
const SLOWEST = 60_000;

/** How it stands with the screen. */
export type Situation =
  | { readonly how: 'connecting' | 'connected' | 'paused' }
  | { readonly how: 'lost'; readonly status: IStatus };

/**
 * Keeps one screen connected for as long as somebody can see it: after a lost network, a
 * computer's sleep, a restart of the program.
 */
export class Connection {
  constructor(
    private readonly container: HTMLElement,
    private readonly addresses: { screen: string; service: string },
    private readonly told: (situation: Situation) => void,
    private readonly made: (screen: Screen) => void
  ) {
    // Another network may have come, and what was open on the old one would stay silent for ever.
    addEventListener('online', () => this._renew());
    document.addEventListener('visibilitychange', () => this._look());
    // In a hidden tab of JupyterLab the page is "visible", and has no size.
    new IntersectionObserver(entries => {
      this._inView = entries.at(-1)?.isIntersecting ?? true;
      this._look();
    }).observe(container);
    setInterval(() => this._tick(), TICK);
    this._open();
  }

  /** The screen as it is now; null while there is none. */
  get screen(): Screen | null {
    return this._connected ? this._screen : null;
  }

  private get _seen(): boolean {
    return this._inView && document.visibilityState === 'visible';
  }

  private _open(): void {
    clearTimeout(this._timer);
    if (this._screen) {
      return;
    }
    if (!this._waits) {
      this.told({ how: 'connecting' });
    }
    this.container.replaceChildren();
    const screen = new Screen(this.container, this.addresses.screen, {
      shared: true,
      wsProtocols: ['binary']
    });
    this._screen = screen;
    screen.addEventListener('connect', () => {
      if (this._screen === screen) {
        this._waits = 0;
        this._connected = true;
        this.told({ how: 'connected' });
      }
    });
    screen.addEventListener('disconnect', () => {
      if (this._screen === screen) {
        this._screen = null;
        this._connected = false;
        void this._lost();
      }
    });
    this.made(screen);
  }

  /** Let the screen go, and mean it. */
  private _drop(): void {
    const screen = this._screen;
    this._screen = null;
    this._connected = false;
    clearTimeout(this._timer);
    screen?.disconnect();
  }

  private async _lost(): Promise<void> {
    const status = await askStatus(this.addresses.service);
    if (this._screen || this._paused) {
      return;
    }
    const runs = status.state === 'ready' || status.state === 'unresponsive';
    if (status.state === 'ready' && this._missed) {
      // What was waited for is there.
      this._missed = false;
      this._waits = 0;
      this._open();
      return;
    }
    this._missed = !runs;
    this.told({ how: 'lost', status });
    const longest = ON_ITS_WAY.includes(status.state)
      ? LONGEST_START_WAIT
      : LONGEST_WAIT;
    const wait = Math.min(longest, FIRST_WAIT * 2 ** this._waits);
    this._waits += 1;
    const spread = wait * (0.8 + 0.4 * Math.random());
    clearTimeout(this._timer);
    this._timer = setTimeout(
      () => (runs ? this._open() : void this._lost()),
      spread
    );
  }

  /** Do now what would have been done later. */
  private _hurry(): void {
    if (!this._screen && !this._paused) {
      clearTimeout(this._timer);
      this._waits = Math.min(this._waits, 1);
      void this._lost();
    }
  }

  /** Give up a connection that may be dead, since nobody would tell for minutes. */
  private _renew(): void {
    if (!this._paused) {
      this._drop();
      this._hurry();
    }
  }

  private _tick(): void {
    const now = Date.now();
    const slept = now - this._ticked > TICK + ASLEEP;
    this._ticked = now;
    const silence = this._screen ? now - this._screen.heard : 0;
    if (slept || silence > (this._connected ? DEAD : SLOWEST)) {
      this._renew();
    } else if (silence > QUIET) {
      this.screen?.probe();
    }
  }

  private _look(): void {
    clearTimeout(this._unseen);
    if (!this._seen) {
      this._unseen = setTimeout(() => {
        this._paused = true;
        this._drop();
        this.told({ how: 'paused' });
      }, UNSEEN);
    } else if (this._paused) {
      this._paused = false;
      this._waits = 0;
      this._open();
    } else {
      this._hurry();
    }
  }

  private _screen: Screen | null = null;
  private _connected = false;
  private _paused = false;
  private _inView = true;
  /** Whether the program was not there when it was last looked for. */
  private _missed = false;
  private _waits = 0;
  private _ticked = Date.now();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _unseen: ReturnType<typeof setTimeout> | undefined;
}
