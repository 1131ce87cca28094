import { Connection, type Situation } from '../connection';
import type { Screen as ScreenClass } from '../screen';
import { askStatus, type IStatus } from '../service';

class FakeScreen extends EventTarget {
  heard = Date.now();
  readonly disconnect = jest.fn();
  readonly probe = jest.fn();

  connects(): void {
    this.dispatchEvent(new Event('connect'));
  }

  breaks(): void {
    this.dispatchEvent(new Event('disconnect'));
  }
}

const screens: FakeScreen[] = [];

jest.mock('../screen', () => ({
  Screen: jest.fn(() => {
    const screen = new FakeScreen();
    screens.push(screen);
    return screen;
  })
}));
jest.mock('../service');

const status = jest.mocked(askStatus);
let looked: (seen: boolean) => void = () => undefined;
let visible: DocumentVisibilityState = 'visible';
Object.defineProperty(document, 'visibilityState', { get: () => visible });

const is = (state: IStatus['state']): IStatus => ({ state, error: null });

/** What a connection has told, and the screens it has made. */
function connect() {
  const told: Situation[] = [];
  const made = jest.fn<undefined, [ScreenClass]>();
  const connection = new Connection(
    document.createElement('div'),
    { screen: 'ws://here/screen', service: '/service' },
    situation => told.push(situation),
    made
  );
  return { connection, told, made };
}

const last = (): FakeScreen => screens.at(-1)!;

/** Let time pass (ms), and all that is waited for meanwhile. */
const pass = async (time: number): Promise<void> => {
  await jest.advanceTimersByTimeAsync(time);
};

/** The computer is asleep: its clock goes on, and nothing else. */
const sleep = (time: number): void => {
  jest.setSystemTime(Date.now() + time);
};

/** What connections listen to for as long as their page is there: taken away after each test. */
const listeners: (() => void)[] = [];
for (const target of [window, document]) {
  const listen = target.addEventListener.bind(target);
  Object.assign(target, {
    addEventListener: (type: string, listener: EventListener) => {
      listen(type, listener);
      listeners.push(() => target.removeEventListener(type, listener));
    }
  });
}

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
  screens.length = 0;
  visible = 'visible';
  status.mockResolvedValue(is('ready'));
  globalThis.IntersectionObserver = jest.fn(
    (call: (entries: { isIntersecting: boolean }[]) => void) => {
      looked = seen => call([{ isIntersecting: seen }]);
      return { observe: () => undefined };
    }
  ) as unknown as typeof IntersectionObserver;
});

afterEach(() => {
  listeners.splice(0).forEach(remove => remove());
  jest.clearAllTimers();
  jest.useRealTimers();
});

describe('a connection', () => {
  it('is made at once, and told of', () => {
    const { connection, told, made } = connect();
    expect(connection.screen).toBeNull();
    expect(made).toHaveBeenCalledWith(last());
    last().connects();
    expect(connection.screen).toBe(last());
    expect(told).toEqual([{ how: 'connecting' }, { how: 'connected' }]);
  });

  it('that breaks is made anew, and says meanwhile how the program is', async () => {
    const { connection, told } = connect();
    last().connects();
    last().breaks();
    expect(connection.screen).toBeNull();
    await pass(0);
    expect(told.at(-1)).toEqual({ how: 'lost', status: is('ready') });
    expect(screens).toHaveLength(1);
    await pass(250);
    expect(screens).toHaveLength(2);
    last().connects();
    expect(told.at(-1)).toEqual({ how: 'connected' });
  });

  it('waits longer each time, and no longer than eight seconds', async () => {
    connect();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const [before, count] = [Date.now(), screens.length];
      last().breaks();
      while (screens.length === count) {
        await jest.advanceTimersToNextTimerAsync();
      }
      waits.push(Date.now() - before);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  it('is not tried while the program is at rest, but looked for', async () => {
    status.mockResolvedValue(is('stopped'));
    const { told } = connect();
    last().breaks();
    await pass(60_000);
    expect(screens).toHaveLength(1);
    status.mockResolvedValue(is('ready'));
    await pass(8_000);
    expect(screens).toHaveLength(2);
    expect(told).toContainEqual({ how: 'lost', status: is('stopped') });
  });

  it('comes soon after the start of a program that took long', async () => {
    status.mockResolvedValue(is('starting'));
    const { told } = connect();
    last().breaks();
    await pass(30_000);
    status.mockResolvedValue(is('ready'));
    await pass(1_000);
    expect(screens).toHaveLength(2);
    expect(told.at(-1)).toEqual({ how: 'connecting' });
  });
});

describe('who does not look', () => {
  const ways: [string, (seen: boolean) => void][] = [
    [
      'has another tab of the browser',
      seen => {
        visible = seen ? 'visible' : 'hidden';
        document.dispatchEvent(new Event('visibilitychange'));
      }
    ],
    ['has another tab of JupyterLab', seen => looked(seen)]
  ];

  it.each(ways)('%s: lets go after ten seconds', async (_, look) => {
    const { connection, told } = connect();
    last().connects();
    look(false);
    await pass(9_000);
    expect(connection.screen).not.toBeNull();
    await pass(1_000);
    expect(connection.screen).toBeNull();
    expect(last().disconnect).toHaveBeenCalled();
    expect(told.at(-1)).toEqual({ how: 'paused' });
    // Nothing is done, asked or tried until somebody looks again.
    last().breaks();
    status.mockClear();
    window.dispatchEvent(new Event('online'));
    await pass(600_000);
    expect(screens).toHaveLength(1);
    expect(status).not.toHaveBeenCalled();
    look(true);
    expect(screens).toHaveLength(2);
  });

  it.each(ways)('%s: keeps it when back soon', async (_, look) => {
    const { connection } = connect();
    last().connects();
    look(false);
    await pass(9_000);
    look(true);
    last().heard = Date.now();
    await pass(9_000);
    expect(connection.screen).toBe(screens[0]);
  });
});

describe('a connection that may be dead', () => {
  it('is made anew after a sleep', async () => {
    const { told } = connect();
    last().connects();
    await pass(4_000);
    sleep(3_600_000);
    await pass(2_000);
    expect(screens[0]?.disconnect).toHaveBeenCalled();
    expect(told).toContainEqual({ how: 'lost', status: is('ready') });
    expect(screens).toHaveLength(2);
  });

  it('is made anew when the network has come back', async () => {
    connect();
    last().connects();
    window.dispatchEvent(new Event('online'));
    await pass(500);
    expect(screens[0]?.disconnect).toHaveBeenCalled();
    expect(screens).toHaveLength(2);
  });

  it('is asked for a sign of life, and given up where none comes', async () => {
    connect();
    last().connects();
    await pass(10_000);
    expect(last().probe).not.toHaveBeenCalled();
    await pass(5_000);
    expect(last().probe).toHaveBeenCalled();
    status.mockResolvedValue(is('unreachable'));
    await pass(15_000);
    expect(screens[0]?.disconnect).toHaveBeenCalled();
  });

  it('that answers is kept', async () => {
    const { connection } = connect();
    last().connects();
    last().probe.mockImplementation(() => {
      last().heard = Date.now();
    });
    await pass(600_000);
    expect(connection.screen).toBe(screens[0]);
    expect(screens[0]?.probe.mock.calls.length).toBeLessThan(60);
  });

  it('and never was alive is given up, too', async () => {
    connect();
    await pass(59_000);
    // The server may be waiting for the program's start.
    expect(screens[0]?.disconnect).not.toHaveBeenCalled();
    await pass(8_000);
    expect(screens[0]?.disconnect).toHaveBeenCalled();
    expect(screens.length).toBeGreaterThan(1);
  });
});
