import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IService, IServiceError } from '../tokens';
import { once } from './doubleClicks';

interface IFailureProps {
  readonly service: IService;
  readonly error: IServiceError;
  /** Show what may be shown in a forum. */
  readonly report: () => void;
  readonly trans: TranslationBundle;
  /** What comes before its message. */
  readonly before?: React.ReactNode;
  /** What comes after its buttons. */
  readonly after?: React.ReactNode;
}

/** What went wrong with a service, what to do about it, and its last lines for who helps. */
export function Failure(props: IFailureProps): React.JSX.Element {
  const { service, error, trans, before, after } = props;
  const end = endWords(error, trans);
  return (
    <div className="jp-vce-failure" data-vce-error={error.code}>
      {before}
      <p className="jp-vce-failure-message">{error.message}</p>
      {error.hint && <p className="jp-vce-failure-hint">{error.hint}</p>}
      {end && <p className="jp-vce-failure-end">{end}</p>}
      {error.log_tail.length > 0 && (
        <details className="jp-vce-details">
          <summary>{trans.__('Last lines of its log')}</summary>
          <pre
            className="jp-vce-log-tail"
            role="region"
            aria-label={trans.__('Last lines of the log of %1', service.title)}
            tabIndex={0}
          >
            {error.log_tail.join('\n')}
          </pre>
        </details>
      )}
      <button
        type="button"
        className="jp-vce-link"
        aria-label={trans.__('Copy for the forum: %1', service.title)}
        onClick={once(props.report)}
      >
        {trans.__('Copy for the forum')}
      </button>
      {after}
    </div>
  );
}

/** How its main process ended, unless the message says so already. */
function endWords(error: IServiceError, trans: TranslationBundle): string {
  const { exit_code: code, message, signal } = error;
  if (signal) {
    return message.includes(signal)
      ? ''
      : trans.__('It was ended by the signal %1.', signal);
  }
  return code === null || message.includes(`${code}`)
    ? ''
    : trans.__('It ended with exit code %1.', code);
}
