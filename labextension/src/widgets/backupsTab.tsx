import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { vceIcon } from '../icons';
import { BackupsView, type IBackupsViewProps } from './backupsView';

/** The list of backups in a tab of its own, looked at again while it is shown. */
export class BackupsTab extends ReactWidget {
  static readonly ID = 'vce-backups';

  constructor(private readonly _props: IBackupsViewProps) {
    super();
    const { trans } = _props;
    this.id = BackupsTab.ID;
    this.addClass('jp-vce-page');
    this.addClass('jp-vce-backups');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Backups'));
    this.node.tabIndex = -1;
    this.title.label = trans.__('Backups');
    this.title.caption = trans.__('The backups of your services');
    this.title.icon = vceIcon;
    this.title.closable = true;
  }

  /** Bring a service's backups into view, once they are drawn. */
  reveal(name: string): void {
    this._wanted = name;
    this._goTo();
  }

  override dispose(): void {
    this._watch?.dispose();
    super.dispose();
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    this._watch ??= this._props.backups.watch();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._props.backups.changed.connect(this._goTo, this);
    this._watch ??= this._props.backups.watch();
  }

  protected override onBeforeDetach(message: Message): void {
    this._props.backups.changed.disconnect(this._goTo, this);
    this._leave();
    super.onBeforeDetach(message);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._leave();
  }

  protected override onActivateRequest(): void {
    // What was asked for may have been brought into view already, and has the focus.
    if (this._wanted === null && !this.node.contains(document.activeElement)) {
      this.node.focus();
    }
    this._goTo();
  }

  /** A tab that is closed is done with: the next one asked for is a new one. */
  protected override onCloseRequest(): void {
    this.dispose();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    void this.renderPromise?.then(() => this._goTo());
  }

  protected override render(): React.JSX.Element {
    return <BackupsView {...this._props} />;
  }

  /** The list may have to be fetched first, and what is behind another tab takes no focus. */
  private _goTo(): void {
    if (this._wanted === null || !this.isVisible) {
      return;
    }
    const group = this.node.querySelector<HTMLElement>(
      `[data-vce-backups-of="${this._wanted}"]`
    );
    if (group) {
      this._wanted = null;
      group.scrollIntoView({ block: 'start' });
      group.querySelector<HTMLElement>('h3')?.focus();
    }
  }

  private _leave(): void {
    this._watch?.dispose();
    this._watch = null;
  }

  private _wanted: string | null = null;
  private _watch: IDisposable | null = null;
}
