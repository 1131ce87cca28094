import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';

import type { BackupOrders } from './backupOrders';
import type { Capability, IService, IVCEModel } from './tokens';

/** Those that take `{name}` concern one service. */
export namespace BackupCommandIDs {
  export const backUp = 'vce:back-up';
  export const reset = 'vce:reset';
  /** Show a service's backups, to choose one. */
  export const restore = 'vce:restore';
  export const backUpEverything = 'vce:back-up-everything';
  /** Takes `{name}` too, but need not. */
  export const showBackups = 'vce:show-backups';
}

/** What these commands work with. */
export interface IBackupCommandContext {
  readonly commands: CommandRegistry;
  readonly model: IVCEModel;
  readonly trans: TranslationBundle;
  readonly orders: BackupOrders;
  /** Show the list, at a service where one is named; the tab where there is one. */
  readonly show: (name?: string) => Widget | null;
}

/** Whether something can be done with a service's data now. */
export function dataAllowed(
  capability: Capability,
  service: IService,
  model: IVCEModel
): boolean {
  const state = model.stateOf(service.name);
  const under = model.operation(service.name)?.kind;
  return (
    service.capabilities.includes(capability) &&
    state !== 'unknown' &&
    state !== 'unavailable' &&
    // A proof steps back for what a person wants.
    (under === undefined || under === 'verify')
  );
}

/** Add every command that is about data; they go with the returned disposable. */
export function addBackupCommands(context: IBackupCommandContext): IDisposable {
  const { commands, model, trans, orders, show } = context;
  const named = (args: ReadonlyPartialJSONObject): IService | undefined =>
    typeof args.name === 'string' ? model.service(args.name) : undefined;

  const addNamed = (
    id: string,
    capability: Capability,
    words: {
      readonly general: string;
      readonly of: (title: string) => string;
    },
    execute: (service: IService) => unknown
  ): IDisposable =>
    commands.addCommand(id, {
      describedBy: { args: NAMED },
      label: args => {
        const service = named(args);
        if (!service) {
          return words.general;
        }
        return args.brief === true ? service.title : words.of(service.title);
      },
      isEnabled: args => {
        const service = named(args);
        return service !== undefined && dataAllowed(capability, service, model);
      },
      execute: args => {
        const service = named(args);
        return service && execute(service);
      }
    });

  return DisposableSet.from([
    addNamed(
      BackupCommandIDs.backUp,
      'backup',
      {
        general: trans.__('Back up a service'),
        of: title => trans.__('Back up %1', title)
      },
      service => orders.backUp(service)
    ),
    addNamed(
      BackupCommandIDs.reset,
      'reset',
      {
        general: trans.__('Reset a service…'),
        of: title => trans.__('Reset %1…', title)
      },
      service => orders.reset(service)
    ),
    addNamed(
      BackupCommandIDs.restore,
      'restore',
      {
        general: trans.__('Restore a service…'),
        of: title => trans.__('Restore %1…', title)
      },
      service => show(service.name)
    ),
    commands.addCommand(BackupCommandIDs.backUpEverything, {
      label: trans.__('Back up everything…'),
      caption: trans.__('One file with all services, to take away'),
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () =>
        model.connected &&
        model.services.some(({ capabilities }) =>
          capabilities.includes('backup')
        ),
      execute: () => orders.backUpEverything()
    }),
    commands.addCommand(BackupCommandIDs.showBackups, {
      label: trans.__('Backups'),
      caption: trans.__(
        'The backups you have: prove, restore, download or delete them'
      ),
      describedBy: { args: NAMED },
      execute: args =>
        show(typeof args.name === 'string' ? args.name : undefined)
    })
  ]);
}

const NAMED = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'The name of a service' },
    brief: { type: 'boolean', description: 'Whether its title says enough' }
  }
};
