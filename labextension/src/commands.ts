import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import {
  DisposableDelegate,
  DisposableSet,
  type IDisposable
} from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';

import { allows, needsStart } from './actions';
import type {
  Action,
  IProblem,
  IService,
  IVCEApps,
  IVCEModel,
  IVCEPanel
} from './tokens';
import { actionLabel } from './words';

/** Those that take `{name}` concern one service. */
export namespace CommandIDs {
  /** Start a service if it is not running, and show it. */
  export const open = 'vce:open';
  export const start = 'vce:start';
  export const stop = 'vce:stop';
  export const restart = 'vce:restart';
  export const showLogs = 'vce:show-logs';
  /** Takes `{name}` too, but need not. */
  export const showPanel = 'vce:show-panel';
  export const showStatus = 'vce:show-status';
}

/** The command behind a button. */
export const COMMAND_OF: Readonly<Record<Action, string>> = {
  open: CommandIDs.open,
  start: CommandIDs.start,
  stop: CommandIDs.stop,
  restart: CommandIDs.restart,
  logs: CommandIDs.showLogs
};

/** What the commands work with. Where a part is absent, they do without. */
export interface ICommandContext {
  readonly commands: CommandRegistry;
  readonly model: IVCEModel;
  readonly trans: TranslationBundle;
  readonly apps: IVCEApps | null;
  readonly panel: IVCEPanel | null;
  /** The icon of a service's tile. */
  readonly icon: (service: IService) => LabIcon;
  readonly showLogs: (service: IService) => Widget | null;
  readonly showStatus: () => void;
  /** Ask before services are stopped that need the one in question. */
  readonly confirm: (
    verb: 'stop' | 'restart',
    service: IService,
    dependents: readonly IService[]
  ) => Promise<boolean>;
  /** Tell the person that an order was refused. */
  readonly report: (problem: IProblem) => void;
}

type Args = ReadonlyPartialJSONObject;

/** The services that run and need this one, directly or by way of others. */
export function dependents(
  service: IService,
  all: readonly IService[]
): IService[] {
  const needed = new Set([service.name]);
  let grown = true;
  while (grown) {
    const before = needed.size;
    all
      .filter(one => one.requires.some(name => needed.has(name)))
      .forEach(one => needed.add(one.name));
    grown = needed.size > before;
  }
  return all.filter(
    one =>
      one.name !== service.name &&
      needed.has(one.name) &&
      !['stopped', 'failed', 'unavailable'].includes(one.state)
  );
}

/** Add every command; they go with the returned disposable. */
export function addCommands(context: ICommandContext): IDisposable {
  const { commands, model, trans, panel } = context;
  const added = new DisposableSet();
  const add = (
    id: string,
    options: CommandRegistry.ICommandOptions
  ): IDisposable => {
    const command = commands.addCommand(id, {
      describedBy: { args: NAMED },
      ...options
    });
    added.add(command);
    return command;
  };

  /** An action on one service: its label, and when it can be chosen. */
  const addAction = (
    action: Action,
    general: string,
    execute: (service: IService) => unknown
  ): void => {
    add(COMMAND_OF[action], {
      label: args => {
        const service = named(model, args);
        return service
          ? actionLabel(
              action,
              model.stateOf(service.name),
              service.title,
              trans
            )
          : general;
      },
      isEnabled: args => {
        const service = named(model, args);
        return (
          service !== undefined &&
          allows(action, service, model.stateOf(service.name))
        );
      },
      execute: async args => {
        const service = await known(model, args);
        return service && execute(service);
      }
    });
  };

  const order = (
    verb: 'start' | 'stop' | 'restart'
  ): ((service: IService) => Promise<void>) => {
    return async service => {
      const others =
        verb === 'start' ? [] : dependents(service, model.services);
      try {
        if (
          verb !== 'start' &&
          others.length &&
          !(await context.confirm(verb, service, others))
        ) {
          return;
        }
        await model[verb](service.name);
      } catch (reason) {
        context.report(reason as IProblem);
      }
    };
  };
  const start = order('start');

  addAction('start', trans.__('Start a service'), start);
  addAction('stop', trans.__('Stop a service'), order('stop'));
  addAction('restart', trans.__('Restart a service'), order('restart'));
  addAction('logs', trans.__('Show the log of a service'), service =>
    context.showLogs(service)
  );

  // A tile can be clicked whatever the state: it then says what is in the way.
  add(CommandIDs.open, {
    label: args => {
      const service = named(model, args);
      if (!service) {
        return trans.__('Open a service');
      }
      return args.tile ? service.title : trans.__('Open %1', service.title);
    },
    caption: args => {
      const service = named(model, args);
      return service ? trans.__('Open %1', service.title) : '';
    },
    icon: args => {
      const service = args.tile ? named(model, args) : undefined;
      return service && context.icon(service);
    },
    execute: args => {
      // At once, within the click, or the browser takes a new tab for a pop-up.
      const service = named(model, args);
      return service
        ? open(service)
        : known(model, args).then(s => s && open(s));
    }
  });

  const open = (service: IService): Widget | null => {
    const shown = allows('open', service, model.stateOf(service.name));
    const tab = shown && context.apps ? context.apps.open(service) : null;
    if (needsStart(service)) {
      void start(service);
    }
    if (!shown) {
      panel?.reveal(service.name);
    }
    return tab;
  };

  add(CommandIDs.showPanel, {
    label: trans.__('Show the services'),
    isVisible: () => panel !== null,
    execute: args => {
      panel?.reveal(typeof args.name === 'string' ? args.name : undefined);
    }
  });

  add(CommandIDs.showStatus, {
    label: trans.__('Status page'),
    caption: trans.__('How everything is, for you and for who helps you'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => context.showStatus()
  });

  const notify = (): void => {
    commands.notifyCommandChanged();
  };
  model.changed.connect(notify);
  added.add(
    new DisposableDelegate(() => void model.changed.disconnect(notify))
  );
  return added;
}

const NAMED = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'The name of a service' }
  }
};

function named(model: IVCEModel, args: Args): IService | undefined {
  return typeof args.name === 'string' ? model.service(args.name) : undefined;
}

/** The service named, asking the server first where it has not answered yet. */
async function known(
  model: IVCEModel,
  args: Args
): Promise<IService | undefined> {
  if (!model.loaded) {
    await model.refresh();
  }
  return named(model, args);
}
