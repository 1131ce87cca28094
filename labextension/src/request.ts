import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IProblem } from './tokens';

/** A server that has said nothing for this long (ms) counts as gone. */
const TIMEOUT = 10_000;

/**
 * A request that did not work out.
 *
 * `code` is the server's slug, or one of ours where the server could not give one: `unreachable`,
 * `timeout`, `logged-out`, `not-served`, `gateway`, `unexpected`. Those have an empty message, to
 * be put in the reader's language where it is shown.
 */
export class VCEError extends Error implements IProblem {
  constructor(
    readonly code: string,
    message = '',
    readonly hint = '',
    readonly status: number | null = null
  ) {
    super(message);
    this.name = 'VCEError';
  }
}

/** What to ask: path segments below `vce/`, each encoded here. */
export interface IRequest {
  readonly path: readonly string[];
  readonly query?: Record<string, string>;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: object;
  /** How long (ms) to wait for the answer, where it may take long. */
  readonly timeout?: number;
}

/** An answer, and the server's clock when it gave it (ms since 1970, null where it did not say). */
export interface IAnswer<T> {
  readonly data: T;
  readonly date: number | null;
}

/** Ask for JSON. Rejects with a `VCEError` only. */
export async function requestJSON<T>(
  settings: ServerConnection.ISettings,
  request: IRequest
): Promise<IAnswer<T>> {
  const { text, response } = await send(settings, request);
  const date = Date.parse(response.headers.get('Date') ?? '');
  const data = parse(text);
  if (data === undefined) {
    throw strange(response);
  }
  return { data: data as T, date: Number.isNaN(date) ? null : date };
}

/** Ask for plain text. Rejects with a `VCEError` only. */
export async function requestText(
  settings: ServerConnection.ISettings,
  request: IRequest
): Promise<string> {
  const { text, response } = await send(settings, request);
  // A login page in place of what was asked for must not be shown as if it were a log.
  if (/\bhtml\b/.test(response.headers.get('Content-Type') ?? '')) {
    throw strange(response);
  }
  return text;
}

/**
 * What asks the server for its sentences in the language that JupyterLab speaks, which need not be
 * the browser's own. JupyterLab's translator names it on the page; before that, it is left open.
 */
export function languageHeader(): Record<string, string> {
  const { lang } = document.documentElement;
  return lang ? { 'Accept-Language': lang } : {};
}

/**
 * Leave that language for the pages of the server that the browser asks for by itself, such as the
 * one that stands in for an app. Only pages below `vce/` see it, and apps never do.
 */
export function leaveLanguage(baseUrl: string): void {
  const { lang } = document.documentElement;
  if (lang) {
    const { pathname, protocol } = new URL(
      URLExt.join(baseUrl, 'vce/'),
      location.href
    );
    const secure = protocol === 'https:' ? '; secure' : '';
    document.cookie = `vce-lang=${encodeURIComponent(lang)}; path=${pathname}; samesite=lax${secure}`;
  }
}

async function send(
  settings: ServerConnection.ISettings,
  { path, query, method = 'GET', body, timeout = TIMEOUT }: IRequest
): Promise<{ text: string; response: Response }> {
  const url =
    URLExt.join(settings.baseUrl, 'vce', ...path.map(encodeURIComponent)) +
    URLExt.objectToQueryString(query ?? {});
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  const init: RequestInit = {
    method,
    signal: abort.signal,
    headers: languageHeader()
  };
  if (body) {
    init.body = JSON.stringify(body);
  }
  try {
    const response = await ServerConnection.makeRequest(url, init, settings);
    const text = await response.text();
    if (!response.ok) {
      throw refusal(response, text);
    }
    return { text, response };
  } catch (reason) {
    if (reason instanceof VCEError) {
      throw reason;
    }
    throw new VCEError(abort.signal.aborted ? 'timeout' : 'unreachable');
  } finally {
    clearTimeout(timer);
  }
}

/** The error in a refusal's body or, where there is none, what its status alone tells. */
export function refusal(
  response: Pick<Response, 'status'>,
  text: string
): VCEError {
  const body = parse(text);
  if (isProblem(body)) {
    return new VCEError(
      body.code,
      body.message,
      typeof body.hint === 'string' ? body.hint : '',
      response.status
    );
  }
  return new VCEError(codeOf(response.status), '', '', response.status);
}

function codeOf(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'logged-out';
    case 404:
      return 'not-served';
    case 502:
    case 503:
    case 504:
      return 'gateway';
    default:
      return 'unexpected';
  }
}

/** A success that is not what was asked for: most often a login page at the end of a redirect. */
function strange(response: Response): VCEError {
  const code = response.redirected ? 'logged-out' : 'unexpected';
  return new VCEError(code, '', '', response.status);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isProblem(
  body: unknown
): body is { code: string; message: string; hint?: unknown } {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    typeof body.code === 'string' &&
    'message' in body &&
    typeof body.message === 'string'
  );
}
