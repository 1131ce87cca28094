import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { concerned } from '../everything';
import { actionIcons } from '../icons';
import type { IVCEModel } from '../tokens';

interface IEverythingProps {
  readonly model: IVCEModel;
  readonly run: (verb: 'start' | 'stop') => Promise<void>;
  readonly trans: TranslationBundle;
}

/** Starts or stops all there is: for the beginning and the end of a day's work. */
export function Everything(props: IEverythingProps): React.JSX.Element | null {
  const { model, trans } = props;
  if (!model.connected || model.services.length < 2) {
    return null;
  }
  const button = (verb: 'start' | 'stop', words: string): React.JSX.Element => {
    const Icon = actionIcons[verb].react;
    const idle = concerned(verb, model).length === 0;
    return (
      <button
        type="button"
        className="jp-vce-button"
        data-vce-action={`${verb}-all`}
        aria-disabled={idle}
        onClick={event => {
          if (!idle && event.detail < 2) {
            void props.run(verb);
          }
        }}
      >
        <Icon className="jp-vce-button-icon" tag="span" aria-hidden="true" />
        <span>{words}</span>
      </button>
    );
  };
  return (
    <div
      role="group"
      aria-label={trans.__('All services')}
      className="jp-vce-actions jp-vce-everything"
    >
      {button('start', trans.__('Start all'))}
      {button('stop', trans.__('Stop all'))}
    </div>
  );
}
