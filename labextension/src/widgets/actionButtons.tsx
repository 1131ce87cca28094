import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { allows } from '../actions';
import { awaited } from '../answering';
import { actionIcons } from '../icons';
import type {
  Action,
  ActionRunner,
  IService,
  IVCEModel,
  ShownState
} from '../tokens';
import { actionLabel, actionWords, answerLabel, answerWords } from '../words';

/** What stands in the row of buttons; the log has its place beside the title. */
type ButtonAction = Exclude<Action, 'logs'>;

const ORDER: readonly ButtonAction[] = [
  'open',
  'connect',
  'start',
  'stop',
  'restart'
];

/** Work on data that a stop or restart would have to wait for: it has a Cancel of its own. */
const DATA_MOVES: readonly string[] = ['backup', 'restore', 'reset'];

const MOVES: readonly ButtonAction[] = ['start', 'stop', 'restart'];

/** Shown by its icon alone: a sidebar is narrow, and it is seldom needed. */
const BRIEF: ButtonAction = 'restart';

/** What can be done while its own question waits for an answer, besides going to it. */
const ANSWERS = ['keep', 'insist'] as const;

type Held = ButtonAction | (typeof ANSWERS)[number];

/** Where the focus goes when the button that had it is no longer there. */
const HEIRS: Readonly<Record<Held, readonly ButtonAction[]>> = {
  open: ['start', 'stop'],
  connect: ['start', 'stop'],
  start: ['stop', 'restart', 'open'],
  stop: ['start', 'open'],
  restart: ['stop', 'start', 'open'],
  keep: ['stop', 'open'],
  insist: ['start', 'stop', 'open']
};

interface IActionButtonsProps {
  readonly model: IVCEModel;
  readonly service: IService;
  readonly run: ActionRunner;
  readonly trans: TranslationBundle;
  /** What is not to be offered here. */
  readonly omit?: readonly ButtonAction[];
}

/** What can be done to a service now. The focus stays where it was, or goes to what replaces it. */
export function ActionButtons(
  props: IActionButtonsProps
): React.JSX.Element | null {
  const { model, service, run, trans } = props;
  const [pending, setPending] = React.useState<Held | null>(null);
  const group = React.useRef<HTMLDivElement>(null);
  const focus = useKeptFocus(group);
  const state = model.stateOf(service.name);
  const under = model.operation(service.name)?.kind;
  const answers = awaited(model, service.name) ? ANSWERS : [];
  const shown = ORDER.filter(
    action =>
      !props.omit?.includes(action) &&
      offered(action, service, state) &&
      !(answers.length > 0 && MOVES.includes(action))
  );
  const use: ButtonAction = service.connection ? 'connect' : 'open';
  const first: ButtonAction = state === 'failed' ? 'start' : use;
  const primary = shown.includes(first)
    ? first
    : shown.find(action => action === 'start');

  const perform = async (action: Held): Promise<void> => {
    setPending(action);
    try {
      await run(action, service);
    } finally {
      setPending(null);
    }
  };

  if (shown.length === 0) {
    return null;
  }
  return (
    <div
      ref={group}
      role="group"
      aria-label={service.title}
      className="jp-vce-actions"
      {...focus}
    >
      {shown.map(action => {
        const Icon = actionIcons[action].react;
        const label = actionLabel(action, state, service.title, trans);
        const idle =
          pending === action ||
          !allows(action, service, state) ||
          action === under ||
          (under === 'stop' && MOVES.includes(action)) ||
          (DATA_MOVES.includes(under ?? '') && MOVES.includes(action));
        return (
          <button
            key={action}
            type="button"
            data-vce-action={action}
            className={
              action === primary
                ? 'jp-vce-button jp-mod-primary'
                : 'jp-vce-button'
            }
            aria-label={label}
            title={action === BRIEF ? label : undefined}
            aria-disabled={idle}
            onKeyDown={ignoreRepeat}
            onClick={event => {
              // The second click of a double one would hit the button that took this one's place.
              if (!idle && event.detail < 2) {
                void perform(action);
              }
            }}
          >
            <Icon
              className="jp-vce-button-icon"
              tag="span"
              aria-hidden="true"
            />
            {action !== BRIEF && (
              <span>{actionWords(action, state, trans)}</span>
            )}
          </button>
        );
      })}
      {answers.map(how => (
        <button
          key={how}
          type="button"
          data-vce-action={how}
          className="jp-vce-button"
          aria-label={answerLabel(how, under, service.title, trans)}
          aria-disabled={pending === how}
          onKeyDown={ignoreRepeat}
          onClick={event => {
            if (pending !== how && event.detail < 2) {
              void perform(how);
            }
          }}
        >
          <span>{answerWords(how, under, trans)}</span>
        </button>
      ))}
    </div>
  );
}

/** Stop stays while it does its work, so that who pressed it by keyboard is not lost. */
function offered(
  action: ButtonAction,
  service: IService,
  state: ShownState
): boolean {
  return (
    allows(action, service, state) ||
    (action === 'stop' &&
      state === 'stopping' &&
      service.capabilities.includes('stop'))
  );
}

/** A key held down must not start a service and then stop it. */
function ignoreRepeat(event: React.KeyboardEvent): void {
  if (event.repeat) {
    event.preventDefault();
  }
}

function useKeptFocus(group: React.RefObject<HTMLElement>): {
  onFocus: React.FocusEventHandler;
  onBlur: React.FocusEventHandler;
} {
  const holder = React.useRef<Held | null>(null);
  React.useLayoutEffect(() => {
    const was = holder.current;
    const lost =
      was !== null &&
      (document.activeElement === null ||
        document.activeElement === document.body);
    if (!lost || !group.current) {
      return;
    }
    for (const heir of [was, ...HEIRS[was]]) {
      const button = group.current.querySelector<HTMLElement>(
        `[data-vce-action="${heir}"]`
      );
      if (button) {
        button.focus();
        return;
      }
    }
  });
  return {
    onFocus: event => {
      const { vceAction } = (event.target as HTMLElement).dataset;
      holder.current = (vceAction ?? null) as Held | null;
    },
    // React says nothing of a blur that comes of its own removing of a button.
    onBlur: () => {
      holder.current = null;
    }
  };
}
