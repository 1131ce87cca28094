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
import { answer, awaited, type IAnswerContext } from './answering';
import { concerned } from './everything';
import { type IOrderContext, order, orderEverything } from './orders';
import type {
  Action,
  Answer,
  IService,
  IVCEApps,
  IVCEConnections,
  IVCEModel,
  IVCEPanel
} from './tokens';
import { actionLabel, answerLabel } from './words';

/** Those that take `{name}` concern one service. */
export namespace CommandIDs {
  /** Start a service if it is not running, and show it. */
  export const open = 'vce:open';
  export const start = 'vce:start';
  export const stop = 'vce:stop';
  export const restart = 'vce:restart';
  /** Call off a stop that waits for an answer. */
  export const keepOpen = 'vce:keep-open';
  /** Have it go on without the answer. */
  export const insist = 'vce:insist';
  export const showLogs = 'vce:show-logs';
  /** Show how a database is reached. */
  export const connect = 'vce:connect';
  /** Takes `{name}` too, but need not. */
  export const showPanel = 'vce:show-panel';
  export const showStatus = 'vce:show-status';
  export const startAll = 'vce:start-all';
  export const stopAll = 'vce:stop-all';
  export const copyReport = 'vce:copy-report';
}

/** The command behind a button. */
export const COMMAND_OF: Readonly<Record<Action | Answer, string>> = {
  open: CommandIDs.open,
  connect: CommandIDs.connect,
  start: CommandIDs.start,
  stop: CommandIDs.stop,
  restart: CommandIDs.restart,
  keep: CommandIDs.keepOpen,
  insist: CommandIDs.insist,
  logs: CommandIDs.showLogs
};

/** What the commands work with. Where a part is absent, they do without. */
export interface ICommandContext extends IOrderContext, IAnswerContext {
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  readonly apps: IVCEApps | null;
  readonly connections: IVCEConnections | null;
  readonly panel: IVCEPanel | null;
  /** The icon of a service's tile. */
  readonly icon: (service: IService) => LabIcon;
  readonly showLogs: (service: IService) => Widget | null;
  readonly showStatus: () => void;
  /** Show what may be shown in a forum, and have it copied. */
  readonly copyReport: () => Promise<void>;
}

type Args = ReadonlyPartialJSONObject;

/** Add every command; they go with the returned disposable. */
export function addCommands(context: ICommandContext): IDisposable {
  const { commands, model, trans, panel, connections } = context;
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

  const start = (service: IService): Promise<void> =>
    order('start', service, context);

  addAction('start', trans.__('Start a service'), start);
  addAction('stop', trans.__('Stop a service'), service =>
    order('stop', service, context)
  );
  addAction('restart', trans.__('Restart a service'), service =>
    order('restart', service, context)
  );
  addAction('connect', trans.__('Connect to a database'), service =>
    connections?.show(service)
  );
  addAction('logs', trans.__('Show the log of a service'), service =>
    context.showLogs(service)
  );

  for (const how of ['keep', 'insist'] as const) {
    add(COMMAND_OF[how], {
      label: args => {
        const service = named(model, args);
        const kind = service && awaited(model, service.name)?.kind;
        return answerLabel(how, kind, service?.title, trans);
      },
      isEnabled: args => {
        const service = named(model, args);
        return service !== undefined && !!awaited(model, service.name);
      },
      execute: async args => {
        const service = await known(model, args);
        return service && answer(how, service, context);
      }
    });
  }

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
    if (shown) {
      return tab;
    }
    if (
      connections &&
      allows('connect', service, model.stateOf(service.name))
    ) {
      return connections.show(service);
    }
    panel?.reveal(service.name);
    return null;
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
    caption: trans.__('How everything is, for you and for whoever helps you'),
    describedBy: NOTHING,
    execute: () => context.showStatus()
  });

  for (const [verb, id, label] of [
    ['start', CommandIDs.startAll, trans.__('Start all services')],
    ['stop', CommandIDs.stopAll, trans.__('Stop all services')]
  ] as const) {
    add(id, {
      label,
      describedBy: ASKED,
      isEnabled: () => concerned(verb, model).length > 0,
      execute: args => orderEverything(verb, context, args.asked === true)
    });
  }

  add(CommandIDs.copyReport, {
    label: trans.__('Copy a report for the forum'),
    caption: trans.__(
      'What whoever helps you needs to know, and nothing private'
    ),
    describedBy: NOTHING,
    execute: () => context.copyReport()
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

const NOTHING = { args: { type: 'object', properties: {} } };

const ASKED = {
  args: {
    type: 'object',
    properties: {
      asked: { type: 'boolean', description: 'Whether it was confirmed' }
    }
  }
};

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
