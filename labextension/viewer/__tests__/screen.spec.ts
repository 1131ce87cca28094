import { Screen } from '../screen';
import { View } from '../view';
import FakeRFB from './fakeRfb';

jest.mock('novnc/rfb.js', () => jest.requireActual<object>('./fakeRfb'));

type Fake = FakeRFB & Screen;

const show = (): Fake =>
  new Screen(document.createElement('div'), 'ws://here') as unknown as Fake;

const pixels = (ratio: number): void => {
  Object.defineProperty(window, 'devicePixelRatio', {
    value: ratio,
    configurable: true
  });
};

beforeEach(() => pixels(1));

describe('the size of the remote screen', () => {
  it('is that of the tab', () => {
    const screen = show();
    screen._requestRemoteResize();
    expect(screen.asked).toEqual([{ w: 800, h: 600 }]);
  });

  it('is no size of a tab that is hidden', () => {
    const screen = show();
    screen.tab = { w: 0, h: 0 };
    screen._requestRemoteResize();
    expect(screen.asked).toEqual([]);
  });

  it('is larger where every pixel counts, and drawn as large as before', () => {
    pixels(2);
    const screen = show();
    screen.density = 2;
    expect(screen.asked).toEqual([{ w: 1600, h: 1200 }]);
    Object.assign(screen, { _fbWidth: 1600, _fbHeight: 1200 });
    screen._updateScale();
    expect(screen._display.scale).toBe(0.5);
    expect(screen._canvas.style.imageRendering).toBe('');
  });

  it('leaves a share of a pixel, and blurs no other for it', () => {
    const screen = show();
    screen.tab = { w: 800.6, h: 600.3 };
    screen._updateScale();
    expect(screen._display.scale).toBe(1);
  });

  it('has sharp edges where one pixel becomes four', () => {
    pixels(2);
    const screen = show();
    screen._updateScale();
    expect(screen._canvas.style.imageRendering).toBe('pixelated');
    pixels(1.5);
    screen._updateScale();
    expect(screen._canvas.style.imageRendering).toBe('');
  });

  it('is left to another view that has asked for it since', () => {
    const screen = show();
    screen.leads = true;
    screen._FBU.x = 1;
    screen._handleExtendedDesktopSize();
    expect(screen.leads).toBe(true);
    screen._FBU.x = 2;
    screen._handleExtendedDesktopSize();
    expect(screen.leads).toBe(false);
  });
});

describe('a sign of life', () => {
  it('is one pixel, asked for and heard of', () => {
    jest.useFakeTimers({ now: 1_000 });
    const screen = show();
    jest.setSystemTime(5_000);
    screen.probe();
    expect(FakeRFB.messages.fbUpdateRequest).toHaveBeenCalledWith(
      'socket',
      false,
      0,
      0,
      1,
      1
    );
    expect(screen.heard).toBe(1_000);
    screen._handleMessage();
    expect(screen.heard).toBe(5_000);
    jest.useRealTimers();
  });
});

describe('a view', () => {
  const look = (facts = { fits: true, scale: 1 }) => {
    const screen = show();
    const view = new View(facts, () => screen);
    view.prepare(screen);
    return { screen, view };
  };

  it('leads from the start, and no longer when it only looks', () => {
    const { screen, view } = look();
    expect([screen.viewOnly, screen.leads]).toEqual([false, true]);
    view.looksOnly = true;
    expect([screen.viewOnly, screen.leads]).toEqual([true, false]);
    view.use();
    expect(screen.leads).toBe(false);
    const next = show();
    view.prepare(next);
    expect([next.viewOnly, next.leads]).toEqual([true, false]);
    view.looksOnly = false;
    expect([screen.viewOnly, screen.leads]).toEqual([false, true]);
  });

  it('leads again when it is used', () => {
    const { screen, view } = look();
    screen.leads = false;
    view.use();
    expect(screen.leads).toBe(true);
  });

  it('never leads where the program has a size of its own', () => {
    const { screen, view } = look({ fits: false, scale: 1 });
    view.use();
    expect(screen.leads).toBe(false);
    expect(view.canBeSharp).toBe(false);
  });

  it('has every pixel where there are more than the program uses', () => {
    pixels(2);
    const { screen, view } = look();
    expect(view.canBeSharp).toBe(true);
    expect(look({ fits: true, scale: 2 }).view.canBeSharp).toBe(false);
    expect(screen.density).toBe(1);
    view.sharp = true;
    expect(screen.density).toBe(2);
    view.sharp = false;
    expect(screen.density).toBe(1);
  });

  it('is only looked at before there is a screen', () => {
    const view = new View({ fits: true, scale: 1 }, () => null);
    view.looksOnly = true;
    view.sharp = true;
    view.use();
    expect(view.looksOnly).toBe(true);
  });
});
