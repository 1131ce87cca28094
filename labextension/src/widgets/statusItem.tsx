import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { stateIcons } from '../icons';
import { summary } from '../summary';
import type { IVCEModel } from '../tokens';
import { useChanges } from './hooks';

interface IStatusItemProps {
  readonly model: IVCEModel;
  readonly trans: TranslationBundle;
  readonly onClick: () => void;
}

/** All services in a few words; a click leads to the panel. */
export function StatusItemView(props: IStatusItemProps): React.JSX.Element {
  const { model, trans } = props;
  useChanges(model);
  const { state, words } = summary(model, trans);
  const Icon = stateIcons[state].react;
  return (
    <button
      type="button"
      className="jp-vce-status-item"
      data-vce-state={state}
      title={trans.__('Show the services')}
      onClick={props.onClick}
    >
      <Icon className="jp-vce-state-icon" tag="span" aria-hidden="true" />
      <span className="jp-vce-status-words">{words}</span>
    </button>
  );
}

/** The item in the status bar. */
export class StatusItem extends ReactWidget {
  constructor(private readonly _props: IStatusItemProps) {
    super();
    this.addClass('jp-vce-status');
  }

  protected override render(): React.JSX.Element {
    return <StatusItemView {...this._props} />;
  }
}
