import { JSONExt, type ReadonlyJSONValue } from '@lumino/coreutils';

import type { IService, IStateChange } from './tokens';

/** The moves from one state to another between two answers; what came or went is none. */
export function statesChanged(
  before: readonly IService[],
  after: readonly IService[]
): IStateChange[] {
  const former = new Map(before.map(({ name, state }) => [name, state]));
  return after.flatMap((service): IStateChange[] => {
    const from = former.get(service.name);
    return from && from !== service.state
      ? [{ service, from, to: service.state }]
      : [];
  });
}

/** Whether services came, went, or changed what makes tiles, menus and entries what they are. */
export function servicesChanged(
  before: readonly IService[],
  after: readonly IService[]
): boolean {
  return !same(before.map(identity), after.map(identity));
}

function identity(service: IService): unknown[] {
  const { name, title, kind, icon, open, url, capabilities } = service;
  return [name, title, kind, icon, open, url, [...capabilities]];
}

/** Whether two pieces of JSON say the same. */
export function same(one: unknown, other: unknown): boolean {
  return JSONExt.deepEqual(
    one as ReadonlyJSONValue,
    other as ReadonlyJSONValue
  );
}
