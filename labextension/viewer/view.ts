import type { IFacts } from './facts';
import type { Screen } from './screen';

/** What a person has chosen about this view; given to every screen that is made for it. */
export class View {
  constructor(
    private readonly facts: Pick<IFacts, 'fits' | 'scale'>,
    /** The screen; null while there is none. */
    private readonly screen: () => Screen | null
  ) {}

  /** Whether the program is shown and told nothing. */
  get looksOnly(): boolean {
    return this._looksOnly;
  }
  set looksOnly(looksOnly: boolean) {
    this._looksOnly = looksOnly;
    const screen = this.screen();
    if (screen) {
      screen.viewOnly = looksOnly;
      screen.leads = this.facts.fits && !looksOnly;
    }
  }

  /** Whether every pixel of this computer's screen is used. */
  set sharp(sharp: boolean) {
    this._sharp = sharp;
    this.use();
    const screen = this.screen();
    if (screen) {
      screen.density = this._density;
    }
  }

  /** Whether there are more pixels than the program uses by itself. */
  get canBeSharp(): boolean {
    return this.facts.fits && devicePixelRatio > this.facts.scale;
  }

  /** Make a new screen what this view is. */
  prepare(screen: Screen): void {
    screen.focusOnClick = false;
    screen.showDotCursor = true;
    screen.background = 'transparent';
    screen.qualityLevel = 8;
    screen.scaleViewport = true;
    screen.viewOnly = this._looksOnly;
    screen.density = this._density;
    screen.leads = this.facts.fits && !this._looksOnly;
  }

  /** This view is being used: the remote screen is to have its size. */
  use(): void {
    const screen = this.screen();
    if (screen && this.facts.fits && !this._looksOnly) {
      screen.leads = true;
    }
  }

  private get _density(): number {
    const { scale } = this.facts;
    return this._sharp ? Math.max(devicePixelRatio, scale) : scale;
  }

  private _looksOnly = false;
  private _sharp = false;
}
