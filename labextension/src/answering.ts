import type {
  Answer,
  IOperation,
  IProblem,
  IService,
  IVCEModel
} from './tokens';

/** What may be done about a stop or restart that waits for a person's answer. */
export interface IAnswerContext {
  readonly model: IVCEModel;
  /** Ask whether a person means to lose what is not saved. */
  readonly confirmUnsaved: (
    verb: 'stop' | 'restart',
    service: IService
  ) => Promise<boolean>;
  /** Tell the person that an order was refused. */
  readonly report: (problem: IProblem) => void;
}

/** The stop or restart of a service that waits until a person has answered its question. */
export function awaited(
  model: Pick<IVCEModel, 'operation'>,
  name: string
): IOperation | undefined {
  const operation = model.operation(name);
  return operation?.waiting_for === 'answer' ? operation : undefined;
}

/** Call the stop off, or have it go on and lose what is not saved. */
export async function answer(
  how: Answer,
  service: IService,
  { model, confirmUnsaved, report }: IAnswerContext
): Promise<void> {
  const { name } = service;
  const operation = awaited(model, name);
  if (!operation) {
    return;
  }
  try {
    if (how === 'keep') {
      await model.cancel(operation.id);
      return;
    }
    const verb = operation.kind === 'restart' ? 'restart' : 'stop';
    // It may have been answered while this was being asked.
    if ((await confirmUnsaved(verb, service)) && awaited(model, name)) {
      await model[verb](name, { force: true });
    }
  } catch (reason) {
    report(reason as IProblem);
  }
}
