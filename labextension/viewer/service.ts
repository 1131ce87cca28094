import type { ServiceState } from '../src/answers';

/** What the server says of the service whose program this is. */
export interface IStatus {
  readonly state:
    | ServiceState
    /** The server does not answer. */
    | 'unreachable'
    /** It answers, and not to us. */
    | 'logged out';
  /** How often it has been started again by itself. */
  readonly restarts?: number;
  readonly error: { readonly message: string; readonly hint: string } | null;
}

/** How long an answer may take (ms). */
const PATIENCE = 5_000;

/** Ask the server how the service is. Never rejects. */
export async function askStatus(address: string): Promise<IStatus> {
  try {
    const answer = await fetch(address, {
      headers: {
        Accept: 'application/json',
        // Its sentences are to be in the language of this page.
        'Accept-Language': document.documentElement.lang
      },
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE)
    });
    if (answer.status === 401 || answer.status === 403) {
      return { state: 'logged out', error: null };
    }
    if (answer.ok) {
      return (await answer.json()) as IStatus;
    }
  } catch {
    // Not there, or not in time: the same to whoever waits.
  }
  return { state: 'unreachable', error: null };
}
