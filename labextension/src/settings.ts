import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IVCESettings, OpenPlace } from './tokens';

const PLACES: readonly string[] = ['declared', 'tab', 'browser'];

/** What a student has chosen; what the schema says by itself until that is known. */
export class VCESettings implements IVCESettings {
  open: OpenPlace = 'declared';
  startWithLab: readonly string[] = [];
  toasts = true;
  pollSeconds = 5;

  get changed(): ISignal<IVCESettings, void> {
    return this._changed;
  }

  /** Take over what is kept, now and whenever it changes. */
  follow(kept: ISettingRegistry.ISettings): void {
    const read = (): void => {
      const { open, startWithLab, toasts, pollSeconds } = kept.composite;
      if (typeof open === 'string' && PLACES.includes(open)) {
        this.open = open as OpenPlace;
      }
      if (Array.isArray(startWithLab)) {
        this.startWithLab = startWithLab.filter(
          name => typeof name === 'string'
        );
      }
      this.toasts = toasts !== false;
      if (typeof pollSeconds === 'number') {
        this.pollSeconds = Math.min(60, Math.max(2, pollSeconds));
      }
      this._changed.emit();
    };
    read();
    kept.changed.connect(read);
  }

  private readonly _changed = new Signal<IVCESettings, void>(this);
}
