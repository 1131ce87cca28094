import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { allows } from '../actions';
import { actionIcons, serviceIcon } from '../icons';
import type { ActionRunner, IService, IVCEModel, RowPart } from '../tokens';
import { actionLabel } from '../words';
import { ActionButtons } from './actionButtons';
import { Failure } from './failure';
import { Progress } from './progress';
import { Recovered } from './recovered';
import { StateLine } from './stateLine';

interface IServiceRowProps {
  readonly model: IVCEModel;
  readonly service: IService;
  readonly run: ActionRunner;
  /** Show what may be shown in a forum. */
  readonly report: () => void;
  /** What others add below the buttons. */
  readonly parts: readonly RowPart[];
  readonly trans: TranslationBundle;
  /** How often somebody asked to be shown this service; counts up. */
  readonly revealed: number;
}

/** One service of the panel: how it is, what can be done, and how to use it. */
export function ServiceRow(props: IServiceRowProps): React.JSX.Element {
  const { model, service, trans, revealed } = props;
  const row = React.useRef<HTMLLIElement>(null);
  const [read, setRead] = React.useState('');
  const state = model.stateOf(service.name);
  const Icon = serviceIcon(service).react;
  const logLabel = actionLabel('logs', state, service.title, trans);
  const heading = `jp-vce-service-${service.name}`;
  const recovery = state === 'ready' ? service.recovered_from : null;

  React.useEffect(() => {
    if (revealed > 0) {
      row.current?.scrollIntoView({ block: 'nearest' });
      row.current?.focus();
    }
  }, [revealed]);

  return (
    <li
      ref={row}
      className="jp-vce-service"
      data-vce-service={service.name}
      data-vce-state={state}
      aria-labelledby={heading}
      tabIndex={-1}
    >
      <div className="jp-vce-service-head">
        <Icon className="jp-vce-service-icon" tag="span" aria-hidden="true" />
        <h3 id={heading} className="jp-vce-service-title">
          {service.title}
        </h3>
        {allows('logs', service, state) && (
          <button
            type="button"
            className="jp-vce-icon-button"
            data-vce-action="logs"
            aria-label={logLabel}
            title={logLabel}
            onClick={() => void props.run('logs', service)}
          >
            <actionIcons.logs.react tag="span" aria-hidden="true" />
          </button>
        )}
        <StateLine model={model} service={service} trans={trans} />
      </div>
      <Progress model={model} service={service} trans={trans} />
      {service.error && state !== 'unknown' && (
        <Failure
          service={service}
          error={service.error}
          report={props.report}
          trans={trans}
        />
      )}
      {recovery && recovery.at !== read && (
        <Recovered
          service={service}
          recovery={recovery}
          now={model.serverNow()}
          report={props.report}
          done={() => {
            setRead(recovery.at);
            row.current?.focus();
          }}
          trans={trans}
        />
      )}
      <ActionButtons
        model={model}
        service={service}
        run={props.run}
        trans={trans}
      />
      {props.parts.map((Part, index) => (
        <Part key={index} service={service} state={state} />
      ))}
    </li>
  );
}
