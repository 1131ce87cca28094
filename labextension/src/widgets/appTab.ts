import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { PanelLayout, Widget } from '@lumino/widgets';

import { serviceIcon } from '../icons';
import type {
  ActionRunner,
  IModelChange,
  IVCEModel,
  ShownState
} from '../tokens';
import { stateWords } from '../words';
import { Notice } from './notice';

/**
 * What an app's page may do: everything it needs for its own work, but never to replace the page
 * of JupyterLab around it.
 */
const SANDBOX = [
  'allow-downloads',
  'allow-forms',
  'allow-modals',
  'allow-popups',
  'allow-popups-to-escape-sandbox',
  'allow-same-origin',
  'allow-scripts'
].join(' ');

/** States in which there is something to be seen of a start. */
const BEGUN: readonly ShownState[] = ['starting', 'ready'];

/** What is enough to bring a tab back after a reload, before the server has said anything. */
export interface IAppTabOptions {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly icon: string | null;
  /** The absolute address of the app, with a slash at its end. */
  readonly url: string;
  /** The page within the app to begin with; empty for its first. */
  readonly path: string;
  readonly model: IVCEModel;
  readonly run: ActionRunner;
  readonly trans: TranslationBundle;
}

/**
 * The page of a service in a tab of JupyterLab.
 *
 * While the service is not running, the server answers with a page that starts it and follows its
 * progress. A bar appears when the service ends under the page that is being looked at.
 */
export class AppTab extends Widget {
  constructor(readonly options: IAppTabOptions) {
    super();
    const { name, model, run, trans } = options;
    this._path = options.path;
    this.id = AppTab.id(name);
    this.addClass('jp-vce-app');
    this.node.dataset.vceService = name;
    this.title.closable = true;

    this._frame = document.createElement('iframe');
    this._frame.setAttribute('sandbox', SANDBOX);
    const frame = new Widget();
    frame.addClass('jp-vce-app-frame');
    frame.node.append(this._frame);
    this._notice = new Notice(name, model, run, trans, () => this._reload());

    this._frame.addEventListener('load', () => this._onLoad());

    const layout = (this.layout = new PanelLayout());
    if (options.kind !== 'desktop') {
      // The page of a desktop says by itself what became of its program, and comes back by itself.
      layout.addWidget(this._notice);
    }
    layout.addWidget(frame);
    model.changed.connect(this._onChanged, this);
    this._draw();
  }

  /** The id of the tab of a service: there is one at most. */
  static id(name: string): string {
    return `vce-app-${name}`;
  }

  /** The page within the app that is shown, such as the project a student works on. */
  get path(): string {
    return this._path;
  }

  /** The page that is shown, once it has loaded; null where it is not to be looked at. */
  get document(): Document | null {
    return this._frame.contentDocument;
  }

  /** Emitted when another page of the app is shown. */
  get moved(): ISignal<this, void> {
    return this._moved;
  }

  protected override onAfterAttach(_message: Message): void {
    // The launcher moves a new tab to its own place, and a frame that is moved loads anew.
    setTimeout(() => {
      if (this.isAttached && !this._frame.src) {
        this._frame.src = within(this.options.url, this._path);
      }
    });
  }

  protected override onActivateRequest(_message: Message): void {
    this._frame.focus();
    this._noteFocus();
  }

  /** A tab that is closed is done with: the next one asked for is a new one. */
  protected override onCloseRequest(): void {
    this.dispose();
  }

  private _onChanged(_: IVCEModel, { states }: IModelChange): void {
    this._draw();
    const { name } = this.options;
    const moved = states.find(({ service }) => service.name === name);
    // The page that stands in for an app at rest waits for its own button alone.
    if (moved && BEGUN.includes(moved.to) && this._standsStill()) {
      this._reload();
    }
  }

  private _standsStill(): boolean {
    const state = this.document?.querySelector<HTMLElement>(
      'main[data-vce-service]'
    )?.dataset.vceState;
    return state === 'stopped' || state === 'failed';
  }

  /** Name and mark the tab after what the server says now or, before that, what was kept. */
  private _draw(): void {
    const { model, name, trans } = this.options;
    const service = model.service(name);
    const shown = service ?? this.options;
    const state = model.stateOf(name);
    this.title.label = shown.title;
    this.title.icon = serviceIcon(shown);
    this.title.caption = service
      ? `${shown.title}: ${stateWords(state, service, model.serverNow(), trans)}`
      : shown.title;
    this.title.dataset = { 'vce-service': name, 'vce-state': state };
    this.node.dataset.vceState = state;
    // Its page says above the program that somebody waits for an answer in it.
    this.node.dataset.vceWaits = model.operation(name)?.waiting_for ?? '';
    this._frame.title = shown.title;
  }

  /**
   * Firefox tells nobody outside a frame that it has the focus, and JupyterLab would take the tab
   * before for the current one: its menu would close that.
   */
  private _noteFocus(): void {
    this._frame.dispatchEvent(new FocusEvent('focus'));
  }

  private _onLoad(): void {
    this._frame.contentWindow?.addEventListener('focus', () =>
      this._noteFocus()
    );
    this._notice.renew();
    const { url } = this.options;
    // Same origin: the app's page is behind the Jupyter server's own port.
    const address = this._frame.contentWindow?.location.href ?? '';
    if (address.startsWith(url) && address !== url + this._path) {
      this._path = address.slice(url.length);
      this._moved.emit();
    }
  }

  private _reload(): void {
    this._frame.contentWindow?.location.reload();
  }

  private readonly _frame: HTMLIFrameElement;
  private readonly _notice: Notice;
  private readonly _moved = new Signal<this, void>(this);
  private _path: string;
}

/** The address of a page of an app; of its first page where the path would lead out of it. */
function within(url: string, path: string): string {
  const address = new URL(path, url).href;
  return address.startsWith(url) ? address : url;
}
