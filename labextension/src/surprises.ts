import type { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { Recoveries } from './recoveries';
import { fitting, type IToastContext } from './toasts';
import type { IModelChange, IService, IStateChange } from './tokens';
import { recoveryWords } from './words';

/** From these nothing fails at a person's word. */
const BY_ITSELF: readonly string[] = ['ready', 'unresponsive', 'backoff'];

type Context = Pick<
  IToastContext,
  'model' | 'notes' | 'panel' | 'report' | 'seen'
> & { readonly trans: TranslationBundle };

/**
 * Notes in the corner that say what has happened to a service when nobody asked for anything: who
 * works in a notebook finds its connection cut, and does not look at the panel.
 */
export class Surprises {
  constructor(private readonly _context: Context) {
    const { model } = _context;
    this._recoveries = new Recoveries(model);
    model.changed.connect((_, change) => this._onChanged(change));
  }

  private _onChanged(change: IModelChange): void {
    const { trans } = this._context;
    for (const service of this._recoveries.news()) {
      this._tell(service, recoveryWords(service, trans), 'warning');
    }
    for (const { service } of change.states.filter(failedByItself)) {
      this._tell(service, fitting(service.error?.message ?? ''), 'error');
    }
  }

  private _tell(
    service: IService,
    message: string,
    type: Notification.TypeOptions
  ): void {
    const { notes, panel, report, seen, trans } = this._context;
    const old = this._standing.get(service.name);
    if (old !== undefined) {
      notes.dismiss(old);
      this._standing.delete(service.name);
    }
    if (!message || panel?.isVisible || seen(service.name)) {
      return;
    }
    const note = notes.emit(message, type, {
      autoClose: false,
      actions: [
        {
          label: trans.__('Show'),
          callback: () => panel?.reveal(service.name)
        },
        { label: trans.__('Copy for the forum'), callback: report }
      ]
    });
    this._standing.set(service.name, note);
  }

  private readonly _recoveries: Recoveries;
  /** The note about each service: a newer one takes its place. */
  private readonly _standing = new Map<string, string>();
}

function failedByItself({ from, to }: IStateChange): boolean {
  return to === 'failed' && BY_ITSELF.includes(from);
}
