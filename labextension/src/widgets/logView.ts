import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Poll } from '@lumino/polling';
import { Widget } from '@lumino/widgets';

import { actionIcons } from '../icons';
import type { IProblem, IVCEModel } from '../tokens';
import { problemWords } from '../words';

/** How often to read the log (ms) while it is looked at. */
const INTERVAL = 2_000;

/** What is enough to bring a log back after a reload, before the server has said anything. */
export interface ILogViewOptions {
  readonly name: string;
  readonly title: string;
}

/** The end of a service's log, followed while it is looked at. */
export class LogView extends Widget {
  constructor(
    readonly options: ILogViewOptions,
    private readonly _model: IVCEModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    const { name, title } = options;
    const label = _trans.__('Log of %1', title);
    this.id = LogView.id(name);
    this.addClass('jp-vce-log');
    this.node.dataset.vceService = name;
    this.title.label = label;
    this.title.icon = actionIcons.logs;
    this.title.closable = true;

    this._problem = document.createElement('p');
    this._problem.className = 'jp-vce-log-problem';
    this._problem.setAttribute('role', 'status');
    this._text = document.createElement('pre');
    this._text.tabIndex = 0;
    this._text.setAttribute('role', 'log');
    // A log that runs on would talk without end.
    this._text.setAttribute('aria-live', 'off');
    this._text.setAttribute('aria-label', label);
    this.node.append(this._problem, this._text);

    this._poll = new Poll({
      name: `ou-vce-ext:log:${name}`,
      factory: () => this._read(),
      frequency: { interval: INTERVAL, backoff: false, max: INTERVAL },
      standby: () => (this.isVisible ? 'when-hidden' : true)
    });
  }

  /** The id of the view of a service's log: there is one at most. */
  static id(name: string): string {
    return `vce-log-${name}`;
  }

  override dispose(): void {
    this._poll.dispose();
    super.dispose();
  }

  protected override onAfterShow(_message: Message): void {
    void this._poll.refresh();
  }

  protected override onActivateRequest(_message: Message): void {
    this._text.focus();
  }

  /** A tab that is closed is done with: the next one asked for is a new one. */
  protected override onCloseRequest(): void {
    this.dispose();
  }

  private async _read(): Promise<void> {
    const { name, title } = this.options;
    try {
      const text = await this._model.logs(name, 1000);
      if (!this.isDisposed) {
        this._problem.textContent = '';
        this._show(text || this._trans.__('It has written nothing yet.'));
      }
    } catch (reason) {
      if (this._model.connected && !this._model.service(name)) {
        this._problem.textContent = this._trans.__(
          '%1 is no longer part of this environment, and neither is its log. You can close this tab; your files are where they were.',
          title
        );
        this._text.textContent = '';
        return;
      }
      const words = problemWords(reason as IProblem, this._trans);
      this._problem.textContent = `${words.message} ${words.hint}`.trim();
    }
  }

  /** Follow the end, unless the reader has scrolled away from it. */
  private _show(text: string): void {
    const node = this._text;
    if (node.textContent === text) {
      return;
    }
    const left = node.scrollHeight - node.scrollTop - node.clientHeight;
    node.textContent = text;
    if (left < 24) {
      node.scrollTop = node.scrollHeight;
    }
  }

  private readonly _problem: HTMLElement;
  private readonly _text: HTMLElement;
  private readonly _poll: Poll;
}
