import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { Recoveries } from '../recoveries';
import type { IModelChange, IVCEModel, ShownState } from '../tokens';
import { problemWords, recoveryWords, stateAnnouncement } from '../words';

const URGENT: readonly ShownState[] = ['failed', 'unavailable', 'unresponsive'];

/**
 * Tells screen readers what happens to the services, whether or not the panel is shown: politely
 * what was to be expected, at once what went wrong.
 */
export class Announcer extends Widget {
  constructor(
    model: IVCEModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-vce-announcer');
    this._polite = region('status', 'polite');
    this._assertive = region('alert', 'assertive');
    this.node.append(this._polite, this._assertive);
    this._recoveries = new Recoveries(model);
    model.changed.connect(this._onChanged, this);
  }

  private _onChanged(model: IVCEModel, change: IModelChange): void {
    const polite: string[] = [];
    const urgent: string[] = [];
    if (change.connected && model.problem) {
      urgent.push(problemWords(model.problem, this._trans).message);
    } else if (change.connected && this._lost) {
      polite.push(this._trans.__('The Jupyter server is back.'));
      // Who comes by here reading must not find that it is gone.
      this._assertive.textContent = '';
    }
    this._lost = model.problem !== null;
    for (const { service, to } of change.states) {
      const list = URGENT.includes(to) ? urgent : polite;
      list.push(stateAnnouncement(service, to, this._trans));
    }
    for (const service of this._recoveries.news()) {
      urgent.push(recoveryWords(service, this._trans));
    }
    const waiting = model.operations.filter(one => one.waiting_for !== null);
    for (const { id, message } of waiting) {
      if (!this._waiting.includes(id)) {
        polite.push(message);
      }
    }
    this._waiting = waiting.map(({ id }) => id);
    // A region keeps its last words until there are new ones, or it would be cut short.
    if (polite.length > 0) {
      this._polite.textContent = polite.join(' ');
    }
    if (urgent.length > 0) {
      this._assertive.textContent = urgent.join(' ');
    }
  }

  private readonly _polite: HTMLElement;
  private readonly _assertive: HTMLElement;
  private readonly _recoveries: Recoveries;
  private _lost = false;
  /** The operations that are known to wait for a person. */
  private _waiting: readonly string[] = [];
}

function region(role: string, live: string): HTMLElement {
  const node = document.createElement('div');
  node.setAttribute('role', role);
  node.setAttribute('aria-live', live);
  return node;
}
