import type { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import type {
  IEndAction,
  IOperation,
  IVCEModel,
  IVCEPanel,
  IVCEToasts
} from './tokens';
import { workWords } from './words';

/** What is over sooner than this (ms) needs no note. */
const BRIEF = 1_500;

/** JupyterLab cuts a note off after so many letters, in the middle of a word. */
const LETTERS = 140;

/** How long (ms) a good end is shown. */
const SHOWN = 5_000;

/** Of these a person knows the good end by what they see. */
const ORDINARY: readonly string[] = ['start', 'stop', 'restart'];

/** As much of JupyterLab's notifications as is used here. */
export type Notes = Pick<typeof Notification, 'emit' | 'dismiss'> & {
  update(change: Notification.IUpdate<string>): unknown;
};

export interface IToastContext {
  readonly model: IVCEModel;
  readonly notes: Notes;
  readonly trans: TranslationBundle;
  readonly panel: Pick<IVCEPanel, 'isVisible' | 'reveal'> | null;
  /** Whether a person sees how a service is by other means, such as its tab. */
  readonly seen: (service: string) => boolean;
  /** Show a service's app. */
  readonly open: (service: string) => void;
  /** Whether work that goes well is to be told. */
  readonly wanted: () => boolean;
  /** Show what may be shown in a forum. */
  readonly report: () => void;
  /** Show a text that a note has no room for. */
  readonly tell: (message: string) => void;
}

/**
 * Notes in the corner that say how operations go on and end.
 *
 * They follow the operations that the model knows, so a reload of the page, which loses the notes,
 * makes them anew from what still runs.
 */
export class OperationToasts implements IVCEToasts {
  constructor(private readonly _context: IToastContext) {
    const { model } = _context;
    model.changed.connect(this._onChanged, this);
    model.operationEnded.connect((_, operation) => this._onEnded(operation));
  }

  addEndActions(
    kind: string,
    offer: (operation: IOperation) => readonly IEndAction[]
  ): IDisposable {
    this._offers.set(kind, offer);
    return new DisposableDelegate(() => void this._offers.delete(kind));
  }

  withdraw(backup: string): void {
    for (const [service, { note, needs }] of this._standing) {
      if (needs.includes(backup)) {
        this._context.notes.dismiss(note);
        this._standing.delete(service);
      }
    }
  }

  private _onChanged(): void {
    const { model, notes } = this._context;
    const running = model.connected ? model.operations : [];
    for (const operation of running) {
      const id = this._shown.get(operation.id);
      if (id !== undefined) {
        const { progress } = operation;
        notes.update({
          id,
          message: workWords(operation, model, this._context.trans),
          ...(progress === null ? {} : { progress }),
          ...(this._waits(operation) && { actions: this._asking(operation) })
        });
      } else if (this._deserves(operation)) {
        this._show(operation);
      } else {
        this._lookAgain();
      }
    }
    // The server is gone, and nobody knows how it goes on: better nothing than old news.
    if (!model.connected) {
      this._shown.forEach(id => notes.dismiss(id));
      this._shown.clear();
    }
  }

  private _deserves({ kind, service, started }: IOperation): boolean {
    const { model, panel, seen, wanted } = this._context;
    const lasts = model.serverNow() - Date.parse(started);
    return (
      wanted() &&
      !panel?.isVisible &&
      !(service !== null && seen(service)) &&
      (lasts > BRIEF || !ORDINARY.includes(kind))
    );
  }

  private _show(operation: IOperation): void {
    const { model, notes, trans } = this._context;
    const { id, progress } = operation;
    const note = notes.emit(workWords(operation, model, trans), 'in-progress', {
      autoClose: false,
      actions: this._cancelling(operation),
      ...(progress === null ? {} : { progress })
    });
    this._shown.set(id, note);
  }

  /** What was too brief for a note may have become long enough without any news. */
  private _lookAgain(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      this._onChanged();
    }, BRIEF);
  }

  private _onEnded(operation: IOperation): void {
    const { notes, panel, wanted } = this._context;
    const id = this._shown.get(operation.id);
    this._shown.delete(operation.id);
    const failed = operation.state === 'failed';
    // Its person has answered so: no alarm, and nowhere else to be seen.
    const kept = operation.error?.code === 'still-open';
    const told =
      operation.state !== 'cancelled' &&
      (failed
        ? kept || !ORDINARY.includes(operation.kind) || !panel?.isVisible
        : id !== undefined || (wanted() && !ORDINARY.includes(operation.kind)));
    if (!told) {
      if (id !== undefined) {
        notes.dismiss(id);
      }
      return;
    }
    // What it offered about the same data is overtaken, and would undo something else.
    this._dismissStanding(operation);
    const whole = failed
      ? (operation.error?.message ?? operation.message)
      : operation.message;
    const message = fitting(whole);
    const type = kept ? 'info' : failed ? 'error' : 'success';
    const offered = this._offers.get(operation.kind)?.(operation) ?? [];
    const actions = kept ? [] : this._actions(operation, offered);
    if (message !== whole && !failed) {
      // A failure is told whole where its "Show" leads.
      actions.unshift(this._reading(whole));
    }
    // What offers something stays until it is answered or closed.
    const stays = (failed && !kept) || actions.length > 0;
    const options = { autoClose: stays ? (false as const) : SHOWN, actions };
    let note = id;
    if (note === undefined) {
      note = notes.emit(message, type, options);
    } else {
      notes.update({ id: note, message, type, ...options });
    }
    if (stays && !ORDINARY.includes(operation.kind)) {
      const needs = offered.flatMap(one => one.needs ?? []);
      this._standing.set(operation.service, { note, needs });
    }
  }

  private _dismissStanding({ kind, service }: IOperation): void {
    const standing = this._standing.get(service);
    if (standing && !ORDINARY.includes(kind)) {
      this._context.notes.dismiss(standing.note);
      this._standing.delete(service);
    }
  }

  private _actions(
    operation: IOperation,
    offered: readonly IEndAction[]
  ): Notification.IAction[] {
    const { panel, report, trans } = this._context;
    const actions = offered.map(({ label, run }) => ({ label, callback: run }));
    if (operation.state !== 'failed') {
      return actions;
    }
    const { service } = operation;
    return [
      {
        label: trans.__('Show'),
        callback: () => panel?.reveal(service ?? undefined)
      },
      { label: trans.__('Copy for the forum'), callback: report },
      ...actions
    ];
  }

  private _reading(message: string): Notification.IAction {
    const { tell, trans } = this._context;
    return {
      label: trans.__('Read all'),
      callback: event => {
        // It offers more than that.
        event.preventDefault();
        tell(message);
      }
    };
  }

  private _waits({ service, waiting_for }: IOperation): boolean {
    return waiting_for === 'answer' && service !== null;
  }

  /** To where the question is that somebody has to answer. */
  private _asking({ service }: IOperation): Notification.IAction[] {
    const { open, trans } = this._context;
    return [
      {
        label: trans.__('Open'),
        callback: event => {
          event.preventDefault();
          open(service ?? '');
        }
      }
    ];
  }

  /** Work on data may take long, and turning back from it costs nothing. */
  private _cancelling(operation: IOperation): Notification.IAction[] {
    const { model, trans } = this._context;
    const { kind } = operation;
    if (ORDINARY.includes(kind)) {
      return this._waits(operation) ? this._asking(operation) : [];
    }
    const { id } = operation;
    return [
      {
        label: trans.__('Cancel'),
        callback: event => {
          // The note stays until the work has ended.
          event.preventDefault();
          model.cancel(id).catch(() => undefined);
        }
      }
    ];
  }

  private readonly _shown = new Map<string, string>();
  /** The note about a service's data that waits for an answer, by service. */
  private readonly _standing = new Map<string | null, IStanding>();
  private readonly _offers = new Map<
    string,
    (operation: IOperation) => readonly IEndAction[]
  >();
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

/** As many whole sentences as fit into a note. */
export function fitting(message: string): string {
  let end = message.length;
  while (end > LETTERS) {
    end = message.lastIndexOf('. ', end - 2) + 1;
  }
  return end > 0 ? message.slice(0, end) : message;
}

/** A note that waits for an answer, and the backups that what it offers needs. */
interface IStanding {
  readonly note: string;
  readonly needs: readonly string[];
}
