import { concerned } from './everything';
import type {
  IProblem,
  IService,
  IStopQuestion,
  IUnsaved,
  IVCEModel
} from './tokens';

/** What orders work with. */
export interface IOrderContext {
  readonly model: IVCEModel;
  /** What a service has not saved yet. */
  readonly unsaved: (service: IService) => Promise<IUnsaved>;
  /** Ask whether a person means it. */
  readonly confirm: (question: IStopQuestion) => Promise<boolean>;
  /** Tell the person that an order was refused. */
  readonly report: (problem: IProblem) => void;
}

/** The services that run and need one of these, directly or by way of others. */
export function dependents(
  services: readonly IService[],
  all: readonly IService[]
): IService[] {
  const asked = new Set(services.map(({ name }) => name));
  const needed = new Set(asked);
  let grown = true;
  while (grown) {
    const before = needed.size;
    all
      .filter(one => one.requires.some(name => needed.has(name)))
      .forEach(one => needed.add(one.name));
    grown = needed.size > before;
  }
  return all.filter(
    one => needed.has(one.name) && !asked.has(one.name) && RUNS.has(one.state)
  );
}

const RUNS: ReadonlySet<string> = new Set([
  'starting',
  'ready',
  'unresponsive',
  'backoff'
]);

/** Carry out what concerns one service, asking first where something may be lost. */
export async function order(
  verb: 'start' | 'stop' | 'restart',
  service: IService,
  context: IOrderContext
): Promise<void> {
  const { model } = context;
  if (verb !== 'start') {
    const others = dependents([service], model.services);
    const unsaved = await unsavedOf([service, ...others], context);
    const asks = others.length > 0 || unsaved.projects.length > 0;
    if (
      (asks || unsaved.unfinished) &&
      !(await context.confirm({ verb, service, others, unsaved }))
    ) {
      return;
    }
  }
  await carryOut(verb, service, context);
}

/** The same with all that there is; who was `asked` already is asked again only for what is not saved. */
export async function orderEverything(
  verb: 'start' | 'stop',
  context: IOrderContext,
  asked = false
): Promise<void> {
  const services = concerned(verb, context.model);
  if (verb === 'stop' && services.length > 0) {
    const unsaved = await unsavedOf(services, context);
    const question = { verb, service: null, others: services, unsaved };
    const saved = unsaved.projects.length === 0 && !unsaved.unfinished;
    if (!(asked && saved) && !(await context.confirm(question))) {
      return;
    }
  }
  // What needs others comes first, so that no stop has to take others along.
  const last = [...services].reverse();
  for (const service of last) {
    await carryOut(verb, service, context);
  }
}

async function carryOut(
  verb: 'start' | 'stop' | 'restart',
  service: IService,
  { model, report }: IOrderContext
): Promise<void> {
  try {
    await model[verb](service.name);
  } catch (reason) {
    report(reason as IProblem);
  }
}

async function unsavedOf(
  services: readonly IService[],
  { model, unsaved }: IOrderContext
): Promise<IUnsaved> {
  const running = services.filter(
    ({ name }) => model.stateOf(name) === 'ready'
  );
  const found = await Promise.all(running.map(unsaved));
  return {
    projects: found.flatMap(({ projects }) => projects),
    unfinished: found.some(({ unfinished }) => unfinished)
  };
}
