import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';

import type { VCEApi } from './api';
import type {
  IBranding,
  IModelChange,
  IVCEBranding,
  IVCEModel
} from './tokens';

/** What an environment is called that nobody has given a name. */
const NAMELESS = 'Virtual computing environment';

/** Asks for the module's look whenever a server is found: another one may have another. */
export class Branding implements IVCEBranding {
  constructor(
    private readonly _api: Pick<VCEApi, 'branding'>,
    model: IVCEModel
  ) {
    model.changed.connect(this._onChanged, this);
  }

  get current(): IBranding | null {
    return this._current;
  }

  get changed(): ISignal<IVCEBranding, void> {
    return this._changed;
  }

  private _onChanged(model: IVCEModel, change: IModelChange): void {
    if (change.connected && model.connected) {
      // Without it everything works as well.
      this._api.branding().then(
        branding => {
          this._current = branding;
          this._changed.emit();
        },
        () => undefined
      );
    }
  }

  private readonly _changed = new Signal<IVCEBranding, void>(this);
  private _current: IBranding | null = null;
}

/** The name that the module gave its environment; null where it gave none. */
export function givenName(branding: IVCEBranding | null): string | null {
  const title = branding?.current?.title;
  return title && title !== NAMELESS ? title : null;
}

/** What menu and launcher call it. */
export function shortName(
  branding: IVCEBranding | null,
  trans: TranslationBundle
): string {
  return givenName(branding) ?? trans.__('VCE');
}
