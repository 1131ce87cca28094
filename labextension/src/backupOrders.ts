import { safetyCopy } from './backupsModel';
import type {
  IBackup,
  IResetPreview,
  IRestoreWish,
  IUndoes,
  IVCEBackups
} from './backupTokens';
import { concernedBy, nameable, replaceable } from './restoreWish';
import type { IOperation, IProblem, IService, IVCEModel } from './tokens';

/** What orders about data work with. */
export interface IBackupContext {
  readonly model: IVCEModel;
  readonly backups: IVCEBackups;
  /** Questions to the person; each tells what was answered. */
  readonly ask: {
    readonly reset: (
      preview: IResetPreview,
      service: IService
    ) => Promise<boolean>;
    readonly start: (service: IService) => Promise<boolean>;
    readonly restore: (
      backup: IBackup,
      services: readonly IService[],
      taken: readonly string[]
    ) => Promise<IRestoreWish | null>;
    readonly remove: (
      backup: IBackup,
      undoes: IUndoes | undefined
    ) => Promise<boolean>;
    readonly folders: (
      services: readonly IService[],
      folders: readonly string[]
    ) => Promise<readonly string[] | null>;
    readonly failure: (
      operation: IOperation,
      mayInsist: boolean
    ) => Promise<'nothing' | 'report' | 'insist'>;
    /** The title is null where all services are meant. */
    readonly withoutCopy: (
      kind: string,
      title: string | null
    ) => Promise<boolean>;
  };
  /** Folders that could be taken along, as JupyterLab shows them. */
  readonly folders: () => Promise<readonly string[]>;
  /** Tell the person that an order was refused. */
  readonly refused: (problem: IProblem) => void;
  /** Show what may be shown in a forum. */
  readonly report: () => void;
}

/** The orders a person gives about data. None of them rejects: what is refused is told. */
export class BackupOrders {
  constructor(private readonly _context: IBackupContext) {}

  async backUp(service: IService): Promise<void> {
    await this._told(this._context.backups.backUp(service.name));
  }

  async backUpEverything(): Promise<void> {
    const { ask, backups, folders, model } = this._context;
    const services = model.services.filter(
      ({ capabilities, state }) =>
        capabilities.includes('backup') && state !== 'unavailable'
    );
    const chosen = await ask.folders(services, await folders());
    if (chosen) {
      await this._told(backups.backUpEverything(chosen));
    }
  }

  async verify(backup: IBackup): Promise<void> {
    await this._told(this._context.backups.verify(backup.id));
  }

  /** Say what a reset would do, and do it where that is wanted. */
  async reset(service: IService): Promise<void> {
    const { ask, backups, model } = this._context;
    if (startable(service)) {
      if (!(await ask.start(service))) {
        return;
      }
      if (!(await this._started(service.name))) {
        return;
      }
    }
    const preview = await this._told(backups.preview(service.name));
    const now = model.service(service.name) ?? service;
    if (preview && (await ask.reset(preview, now))) {
      await this._reset(service.name);
    }
  }

  async restore(backup: IBackup): Promise<void> {
    const { ask, backups, model } = this._context;
    const services = concernedBy(backup, model.services);
    const [service] = services;
    const asks = services.length === 1 && nameable(backup, services).length > 0;
    const taken = service && asks ? await this._taken(service) : [];
    const wish = await ask.restore(backup, services, taken);
    if (wish) {
      await this._replace('restore', backup.service, {
        order: () => backups.restore(backup.id, wish),
        // What is put beside takes no copy, and a part needs one: what stays comes from it. What was
        // not proven may itself be what is wrong.
        ...(wish.as === null &&
          wish.items === null &&
          backup.verified === 'verified' && {
            insist: () => backups.restore(backup.id, wish, true)
          })
      });
    }
  }

  /** Put back what was there before a reset or restore; nobody is asked twice. */
  async undo(safety: string): Promise<void> {
    const { backups } = this._context;
    await this._told(backups.restore(safety, { as: null, items: null }));
  }

  async pin(backup: IBackup): Promise<void> {
    await this._told(this._context.backups.pin(backup.id, !backup.pinned));
  }

  /** Returns whether it is gone. */
  async remove(backup: IBackup): Promise<boolean> {
    const { ask, backups } = this._context;
    if (!(await ask.remove(backup, backups.undoes(backup.id)))) {
      return false;
    }
    await this._told(backups.remove(backup.id));
    return backups.find(backup.id) === undefined;
  }

  /** Tell in full how work went wrong, and do what is wanted then. */
  async explain(operation: IOperation): Promise<void> {
    const { ask, backups, model, report } = this._context;
    const { id, kind, service } = operation;
    const insist =
      kind === 'reset' && service
        ? () => backups.reset(service, true)
        : this._insisting.get(id);
    const may = insist !== undefined && copyFailed(operation);
    const answer = await ask.failure(operation, may);
    if (answer === 'report') {
      report();
    } else if (answer === 'insist' && insist) {
      const title = service && (model.service(service)?.title ?? service);
      if (await ask.withoutCopy(kind, title)) {
        await this._told(insist());
      }
    }
  }

  private async _reset(service: string): Promise<void> {
    const { backups } = this._context;
    await this._replace('reset', service, {
      order: () => backups.reset(service),
      insist: () => backups.reset(service, true)
    });
  }

  /** Where there is no room for a safety copy, a person may decide to go on without one. */
  private async _replace(
    kind: 'reset' | 'restore',
    service: string | null,
    { order, insist }: IReplacing
  ): Promise<void> {
    let id = '';
    try {
      ({ id } = await order());
    } catch (reason) {
      const problem = reason as IProblem;
      if (problem.code !== 'disk-full' || !insist) {
        this._context.refused(problem);
        return;
      }
      this._insisting.set(id, insist);
      await this.explain(refused(kind, service, problem));
      return;
    }
    // It may fail later; what was wanted is then known here alone.
    if (insist) {
      this._insisting.set(id, insist);
    }
  }

  /** Names in use, as far as they can be had; the server refuses the others. */
  private async _taken(service: IService): Promise<readonly string[]> {
    if (!replaceable([service]) || service.state !== 'ready') {
      return [];
    }
    try {
      const { goes } = await this._context.backups.preview(service.name);
      return goes.flatMap(({ name, within }) => [name, within ?? name]);
    } catch {
      return [];
    }
  }

  /** Start a service and wait for the outcome; what fails shows in its place. */
  private async _started(name: string): Promise<boolean> {
    const { model } = this._context;
    const begun = await this._told(model.start(name));
    if (!begun) {
      return false;
    }
    if (begun.state === 'running') {
      await new Promise<void>(resolve => {
        const ended = (_: IVCEModel, { id }: IOperation): void => {
          if (id === begun.id) {
            model.operationEnded.disconnect(ended);
            resolve();
          }
        };
        model.operationEnded.connect(ended);
      });
    }
    await model.refresh();
    return model.stateOf(name) === 'ready';
  }

  private async _told<T>(order: Promise<T>): Promise<T | null> {
    try {
      return await order;
    } catch (reason) {
      this._context.refused(reason as IProblem);
      return null;
    }
  }

  /** How to do without a safety copy what was ordered here, by operation. */
  private readonly _insisting = new Map<string, Order>();
}

type Order = () => Promise<IOperation>;

/** Something that replaces data; `insist` does it without a safety copy, where that can be. */
interface IReplacing {
  readonly order: Order;
  readonly insist?: Order;
}

/** Whether it is at rest and can be started. */
function startable({ capabilities, state }: IService): boolean {
  return (
    capabilities.includes('start') &&
    (state === 'stopped' || state === 'failed')
  );
}

/** Work that was refused, as if it had begun. */
function refused(
  kind: string,
  service: string | null,
  problem: IProblem
): IOperation {
  const { code, message, hint } = problem;
  return {
    id: '',
    kind,
    service,
    state: 'failed',
    progress: null,
    message,
    started: '',
    finished: '',
    error: { code, message, hint, exit_code: null, signal: null, log_tail: [] },
    result: null,
    waiting_for: null
  };
}

/** What a safety copy fails for; only then may a person go on without one. */
const COPY_FAILED: readonly string[] = [
  'backup-unsuitable',
  'command-failed',
  'disk-full',
  'data-corrupt'
];

/** Whether work may have failed for want of a safety copy alone; nothing has changed then. */
export function copyFailed({ state, error }: IOperation): boolean {
  return state === 'failed' && COPY_FAILED.includes(error?.code ?? '');
}

/** What undoes an operation that has ended well; null where nothing does. */
export function undoOf({ state, result }: IOperation): string | null {
  return state === 'succeeded' ? safetyCopy(result) : null;
}
