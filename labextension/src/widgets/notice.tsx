import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { stateIcons } from '../icons';
import type { ActionRunner, IService, IVCEModel, ShownState } from '../tokens';
import { actionWords, problemWords, stateAnnouncement } from '../words';
import { useChanges } from './hooks';

/** The bar above an app's page: hidden, but for when the page has lost its service. */
export class Notice extends ReactWidget {
  constructor(
    private readonly _name: string,
    private readonly _model: IVCEModel,
    private readonly _run: ActionRunner,
    private readonly _trans: TranslationBundle,
    private readonly _reload: () => void
  ) {
    super();
    this.addClass('jp-vce-notice');
  }

  /** The frame has another page now: what became of the one before is past. */
  renew(): void {
    this._loads += 1;
    this.update();
  }

  protected override render(): React.JSX.Element {
    return (
      <NoticeView
        name={this._name}
        loads={this._loads}
        model={this._model}
        run={this._run}
        trans={this._trans}
        reload={this._reload}
      />
    );
  }

  private _loads = 0;
}

interface INoticeViewProps {
  readonly name: string;
  /** How many pages the frame has loaded: each is a new life. */
  readonly loads: number;
  readonly model: IVCEModel;
  readonly run: ActionRunner;
  readonly trans: TranslationBundle;
  readonly reload: () => void;
}

/** `live`: the app has been seen running; `broken`: and then it ended under its page. */
type Life = 'fresh' | 'live' | 'broken';

export function NoticeView(props: INoticeViewProps): React.JSX.Element | null {
  const { name, loads, model, run, trans } = props;
  useChanges(model);
  const [page, setPage] = React.useState({ loads, life: 'fresh' as Life });
  const state = model.stateOf(name);
  const service = model.service(name);
  React.useEffect(() => {
    setPage(was => ({
      loads,
      life: next(was.loads === loads ? was.life : 'fresh', state)
    }));
  }, [loads, state]);
  if (model.problem) {
    const Lost = stateIcons.unresponsive.react;
    return (
      <div className="jp-vce-notice-bar" data-vce-state="unresponsive">
        <Lost className="jp-vce-state-icon" tag="span" aria-hidden="true" />
        <span>{problemWords(model.problem, trans).message}</span>
      </div>
    );
  }
  if (page.life !== 'broken' || !service || state === 'unknown') {
    return null;
  }
  const Icon = stateIcons[state].react;
  return (
    <div className="jp-vce-notice-bar" data-vce-state={state}>
      <Icon className="jp-vce-state-icon" tag="span" aria-hidden="true" />
      <span>
        {state === 'ready'
          ? trans.__('%1 is running again.', service.title)
          : stateAnnouncement(service, state, trans)}
      </span>
      {state === 'ready' && (
        <button
          type="button"
          className="jp-vce-button jp-mod-primary"
          onClick={props.reload}
        >
          {trans.__('Reload its page')}
        </button>
      )}
      {startable(service, state) && (
        <button
          type="button"
          className="jp-vce-button jp-mod-primary"
          onClick={() => void run('start', service)}
        >
          {actionWords('start', state, trans)}
        </button>
      )}
    </div>
  );
}

function startable(service: IService, state: ShownState): boolean {
  return (
    service.capabilities.includes('start') &&
    (state === 'stopped' || state === 'failed')
  );
}

function next(life: Life, state: ShownState): Life {
  if (life === 'fresh' && state === 'ready') {
    return 'live';
  }
  const ended = ['stopped', 'failed', 'backoff', 'starting', 'unavailable'];
  return life === 'live' && ended.includes(state) ? 'broken' : life;
}
