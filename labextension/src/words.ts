import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  Action,
  Answer,
  IOperation,
  IProblem,
  IService,
  IVCEModel,
  ShownState
} from './tokens';

/** The state of a service in words, as short as a line in the sidebar. */
export function stateWords(
  state: ShownState,
  service: IService,
  now: number,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'unavailable':
      return service.error?.code === 'program-missing'
        ? trans.__('Not installed')
        : trans.__('Not available');
    case 'stopped':
      return trans.__('Stopped');
    case 'starting':
      return trans.__('Starting…');
    case 'ready':
      return trans.__('Running');
    case 'unresponsive':
      return trans.__('Not answering');
    case 'stopping':
      return trans.__('Stopping…');
    case 'backoff':
      return retryWords(service, now, trans);
    case 'failed':
      return trans.__('Failed');
    case 'unknown':
      return trans.__('Unknown');
  }
}

function retryWords(
  service: IService,
  now: number,
  trans: TranslationBundle
): string {
  const left = service.retry_at ? Date.parse(service.retry_at) - now : 0;
  const seconds = Math.ceil(left / 1000);
  return seconds > 0
    ? trans.__('Restart in %1 s', seconds)
    : trans.__('Restarting…');
}

/** What to say aloud when a service has come into a state; empty where there is nothing to say. */
export function stateAnnouncement(
  service: IService,
  state: ShownState,
  trans: TranslationBundle
): string {
  const title = service.title;
  const reason = service.error?.message ?? '';
  switch (state) {
    case 'unavailable':
      return trans.__('%1 is not available. %2', title, reason).trim();
    case 'stopped':
      return trans.__('%1 has stopped.', title);
    case 'starting':
      return trans.__('%1 is starting.', title);
    case 'ready':
      return trans.__('%1 is running.', title);
    case 'unresponsive':
      return trans.__('%1 is not answering. %2', title, reason).trim();
    case 'stopping':
      return trans.__('%1 is stopping.', title);
    case 'backoff':
      return trans.__('%1 ended and will be started again.', title);
    case 'failed':
      return trans.__('%1 failed. %2', title, reason).trim();
    case 'unknown':
      return '';
  }
}

/** What to say aloud of a service that came back by itself after an unexpected end. */
export function recoveryWords(
  service: IService,
  trans: TranslationBundle
): string {
  const told = trans.__(
    '%1 ended unexpectedly and was started again.',
    service.title
  );
  return service.connection ? `${told} ${cutOffWords(trans)}` : told;
}

/** What to do in notebooks that had been connected to a database which ended. */
export function cutOffWords(trans: TranslationBundle): string {
  return trans.__('In notebooks, run the cells that connect to it again.');
}

/** What is being done, and to whom: for places that are nobody's own. */
export function workWords(
  { message, service }: Pick<IOperation, 'message' | 'service'>,
  model: Pick<IVCEModel, 'service'>,
  trans: TranslationBundle
): string {
  const title = service && model.service(service)?.title;
  return !title || message.includes(title)
    ? message
    : trans.__('%1: %2', title, message);
}

/** What a button or menu item for an action says. */
export function actionWords(
  action: Action,
  state: ShownState,
  trans: TranslationBundle
): string {
  switch (action) {
    case 'open':
      return trans.__('Open');
    case 'connect':
      return trans._p('verb', 'Connect');
    case 'start':
      if (state === 'failed' || state === 'unavailable') {
        return trans.__('Try again');
      }
      return state === 'backoff'
        ? trans.__('Start now')
        : trans._p('verb', 'Start');
    case 'stop':
      return state === 'starting'
        ? trans.__('Cancel')
        : trans._p('verb', 'Stop');
    case 'restart':
      return trans._p('verb', 'Restart');
    case 'logs':
      return trans.__('Log');
  }
}

/** The same with the name of the service, for those who hear it on its own. */
export function actionLabel(
  action: Action,
  state: ShownState,
  title: string,
  trans: TranslationBundle
): string {
  switch (action) {
    case 'open':
      return trans.__('Open %1', title);
    case 'connect':
      return trans.__('Connect to %1', title);
    case 'start':
      if (state === 'failed' || state === 'unavailable') {
        return trans.__('Try again to start %1', title);
      }
      return state === 'backoff'
        ? trans.__('Start now: %1', title)
        : trans.__('Start %1', title);
    case 'stop':
      return state === 'starting'
        ? trans.__('Cancel the start of %1', title)
        : trans.__('Stop %1', title);
    case 'restart':
      return trans.__('Restart %1', title);
    case 'logs':
      return trans.__('Log of %1', title);
  }
}

/** What a button says that is about a stop which waits for an answer. */
export function answerWords(
  how: Answer,
  kind: string | undefined,
  trans: TranslationBundle
): string {
  if (how === 'keep') {
    return trans.__('Keep it open');
  }
  return kind === 'restart'
    ? trans.__('Restart without saving…')
    : trans.__('Stop without saving…');
}

/** The same with the name of the program. */
export function answerLabel(
  how: Answer,
  kind: string | undefined,
  title: string | undefined,
  trans: TranslationBundle
): string {
  if (!title) {
    return answerWords(how, kind, trans);
  }
  if (how === 'keep') {
    return trans.__('Keep %1 open', title);
  }
  return kind === 'restart'
    ? trans.__('Restart %1 without saving…', title)
    : trans.__('Stop %1 without saving…', title);
}

/** A problem in the reader's language: the server's own words, or ours where it has none. */
export function problemWords(
  problem: IProblem,
  trans: TranslationBundle
): { message: string; hint: string } {
  if (problem.message) {
    return { message: problem.message, hint: problem.hint };
  }
  switch (problem.code) {
    case 'unreachable':
    case 'gateway':
      return {
        message: trans.__('The Jupyter server cannot be reached.'),
        hint: trans.__(
          'Your files are safe. This page tries again by itself; if nothing changes, check that the server is still running.'
        )
      };
    case 'timeout':
      return {
        message: trans.__('The Jupyter server takes too long to answer.'),
        hint: trans.__('It may be busy. This page tries again by itself.')
      };
    case 'logged-out':
      return {
        message: trans.__('You are no longer logged in.'),
        hint: trans.__('Reload this page to log in again.')
      };
    case 'not-served':
      return {
        message: trans.__('This Jupyter server does not run the services.'),
        hint: trans.__(
          'The server extension ou_vce_ext is switched off, or the server was not restarted after installing it.'
        )
      };
    default:
      return {
        message: trans.__(
          'The Jupyter server gave an answer that makes no sense here.'
        ),
        hint: trans.__(
          'This page tries again by itself. If it stays like this, tell your tutor.'
        )
      };
  }
}

/** How long something has lasted, as short as people say it. */
export function durationWords(
  milliseconds: number,
  trans: TranslationBundle
): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 1) {
    return trans.__('<1 min');
  }
  if (minutes < 60) {
    return trans.__('%1 min', minutes);
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return trans.__('%1 h', hours);
  }
  const days = Math.floor(hours / 24);
  return trans._n('%1 day', '%1 days', days, days);
}

/** A time of day, with its date where that is not today's, in the manner of the page's language. */
export function timeWords(moment: string, now: number): string {
  const then = new Date(moment);
  const today = then.toDateString() === new Date(now).toDateString();
  return then.toLocaleString(manner(), {
    timeStyle: 'short',
    ...(today ? {} : { dateStyle: 'medium' })
  });
}

/** A size in memory, in megabytes as task managers count them. */
export function memoryWords(bytes: number, trans: TranslationBundle): string {
  const megabytes = bytes / 1_000_000;
  return megabytes < 1000
    ? trans.__('%1 MB', Math.max(1, Math.round(megabytes)))
    : trans.__('%1 GB', figure(megabytes / 1000, 1));
}

/** A number with at most one digit after its decimal sign, in the manner of the page's language. */
export function figure(value: number, digits: 0 | 1 = 0): string {
  return value.toLocaleString(manner(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: 1
  });
}

/**
 * Where numbers and dates are written as here: a browser in Britain knows better than JupyterLab's
 * plain `en`, which is American.
 */
export function manner(): string | undefined {
  const { lang } = document.documentElement;
  const [language] = lang.split('-');
  const own = navigator.languages.find(tag => tag.split('-')[0] === language);
  return own ?? (lang || undefined);
}
