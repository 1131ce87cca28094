import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRecovery, IService } from '../tokens';
import { cutOffWords, timeWords } from '../words';
import { Failure } from './failure';

interface IRecoveredProps {
  readonly service: IService;
  readonly recovery: IRecovery;
  /** Show what may be shown in a forum. */
  readonly report: () => void;
  /** The server's clock, in milliseconds since 1970. */
  readonly now: number;
  /** It has been read. */
  readonly done: () => void;
  readonly trans: TranslationBundle;
}

/** That a service ended unexpectedly and runs again, why, and what to do about it. */
export function Recovered(props: IRecoveredProps): React.JSX.Element {
  const { service, recovery, now, report, done, trans } = props;
  const read = trans.__(
    'OK, I have read that %1 was started again',
    service.title
  );
  return (
    <div className="jp-vce-recovered" data-vce-recovered={recovery.at}>
      <Failure
        service={service}
        error={recovery.error}
        report={report}
        trans={trans}
        before={
          <p>
            {trans.__(
              'Ended unexpectedly at %1, and was started again by itself.',
              timeWords(recovery.at, now)
            )}
            {service.connection && ` ${cutOffWords(trans)}`}
          </p>
        }
        after={
          <button
            type="button"
            className="jp-vce-button"
            aria-label={read}
            title={read}
            onClick={done}
          >
            {trans.__('OK')}
          </button>
        }
      />
    </div>
  );
}
