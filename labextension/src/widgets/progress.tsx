import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IService, IVCEModel } from '../tokens';
import { durationWords, stateAnnouncement } from '../words';
import { useTicking } from './hooks';

/** Nobody counts more seconds than these: from then on they are minutes. */
const PATIENT = 180;

interface IProgressProps {
  readonly model: IVCEModel;
  readonly service: IService;
  readonly trans: TranslationBundle;
}

/** What is happening to a service, for as long as it does; null while it is at rest. */
export function Progress(props: IProgressProps): React.JSX.Element | null {
  const { model, service, trans } = props;
  const state = model.stateOf(service.name);
  const operation = model.operation(service.name);
  const moving = state === 'starting' || state === 'stopping';
  const waits = operation?.waiting_for === 'answer';
  const shown = state !== 'unknown' && (moving || operation !== undefined);
  useTicking(shown && !waits ? 1_000 : null);
  if (!shown) {
    return null;
  }
  const what = operation?.message || stateAnnouncement(service, state, trans);
  if (waits) {
    // Nothing moves by itself: it is a person's turn.
    return <p className="jp-vce-waiting">{what}</p>;
  }
  const begun = Date.parse(operation?.started ?? service.since);
  const seconds = Math.max(0, Math.floor((model.serverNow() - begun) / 1000));
  const usual =
    state === 'starting' && service.ready_seconds !== null
      ? Math.ceil(service.ready_seconds)
      : 0;
  const percent =
    operation?.progress == null ? null : Math.round(operation.progress * 100);
  return (
    <div className="jp-vce-progress">
      <p>{what}</p>
      <div className="jp-vce-progress-line">
        <div
          role="progressbar"
          aria-label={what}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={percent ?? undefined}
          className={percent === null ? 'jp-vce-bar jp-mod-open' : 'jp-vce-bar'}
        >
          <div style={percent === null ? {} : { width: `${percent}%` }} />
        </div>
        <span className="jp-vce-progress-time">
          {usual >= seconds && usual > 1
            ? trans.__('%1 s of about %2 s', seconds, usual)
            : seconds < PATIENT
              ? trans.__('%1 s', seconds)
              : durationWords(seconds * 1000, trans)}
        </span>
      </div>
    </div>
  );
}
