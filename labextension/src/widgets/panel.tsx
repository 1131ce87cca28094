import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import * as React from 'react';

import { givenName } from '../branding';
import { stateIcons, vceIcon } from '../icons';
import {
  type ActionRunner,
  type IVCEBranding,
  type IVCEModel,
  type IVCEPanel,
  PANEL_ID,
  type RowPart
} from '../tokens';
import { problemWords } from '../words';
import { useChanges } from './hooks';
import { Everything } from './everything';
import { PanelHead } from './panelHead';
import { ServiceRow } from './serviceRow';

/** What the panel needs to know and to do. */
export interface IPanelProps {
  readonly model: IVCEModel;
  readonly branding: IVCEBranding | null;
  readonly trans: TranslationBundle;
  /** Carry out what a button says. */
  readonly run: ActionRunner;
  /** Show what may be shown in a forum. */
  readonly report: () => void;
  /** Start or stop all there is. */
  readonly everything: (verb: 'start' | 'stop') => Promise<void>;
  /** Show the page that tutors ask for. */
  readonly showStatus: () => void;
}

/** The same, and what has happened to the panel since. */
export interface IPanelViewProps extends IPanelProps {
  readonly parts: readonly RowPart[];
  readonly revealed: Readonly<Record<string, number>>;
}

/** The services of this environment, in the order in which they were declared. */
export function PanelView(props: IPanelViewProps): React.JSX.Element {
  const { model, trans, revealed } = props;
  useChanges(model);
  return (
    <>
      <PanelHead {...props} />
      <Everything model={model} run={props.everything} trans={trans} />
      {model.problem && <Lost model={model} trans={trans} />}
      {!model.loaded && !model.problem && (
        <p className="jp-vce-empty">{trans.__('Looking for the services…')}</p>
      )}
      {model.connected && model.services.length === 0 && (
        <p className="jp-vce-empty">
          {trans.__('No services are declared in this environment.')}
        </p>
      )}
      <ul
        className="jp-vce-services"
        aria-label={trans.__('Services of this environment')}
      >
        {model.services.map(service => (
          <ServiceRow
            key={service.name}
            model={model}
            service={service}
            run={props.run}
            report={props.report}
            parts={props.parts}
            trans={trans}
            revealed={revealed[service.name] ?? 0}
          />
        ))}
      </ul>
    </>
  );
}

/** Says that nobody knows how the services are, and why. */
function Lost(
  props: Pick<IPanelProps, 'model' | 'trans'>
): React.JSX.Element | null {
  const { model, trans } = props;
  if (!model.problem) {
    return null;
  }
  const { message, hint } = problemWords(model.problem, trans);
  const Icon = stateIcons.unresponsive.react;
  return (
    <div className="jp-vce-lost">
      <Icon className="jp-vce-state-icon" tag="span" aria-hidden="true" />
      <div>
        <p className="jp-vce-failure-message">{message}</p>
        {hint && <p>{hint}</p>}
        <button
          type="button"
          className="jp-vce-button"
          onClick={() => void model.refresh()}
        >
          {trans.__('Try now')}
        </button>
      </div>
    </div>
  );
}

/** The panel in the sidebar. */
export class VCEPanel extends ReactWidget implements IVCEPanel {
  /** `activate` brings the panel to the front; who placed it knows how. */
  constructor(
    private readonly _props: IPanelProps,
    private readonly _activate: () => void
  ) {
    super();
    const { trans } = _props;
    this.id = PANEL_ID;
    this.addClass('jp-vce-panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Services'));
    this.title.icon = vceIcon;
    this.title.caption = trans.__('Services (VCE)');
    _props.branding?.changed.connect(this._wear, this);
  }

  reveal(name?: string): void {
    this._activate();
    if (name) {
      this._revealed = {
        ...this._revealed,
        [name]: (this._revealed[name] ?? 0) + 1
      };
      this.update();
    }
  }

  addToRows(part: RowPart): IDisposable {
    this._parts = [...this._parts, part];
    this.update();
    return new DisposableDelegate(() => {
      this._parts = this._parts.filter(one => one !== part);
      this.update();
    });
  }

  protected override render(): React.JSX.Element {
    return (
      <PanelView
        {...this._props}
        parts={this._parts}
        revealed={this._revealed}
      />
    );
  }

  /** Put on the module's own name and colours. */
  private _wear(branding: IVCEBranding): void {
    const { colour, colour_dark } = branding.current ?? {};
    const { style } = this.node;
    style.setProperty('--jp-vce-colour', colour ?? 'transparent');
    style.setProperty('--jp-vce-colour-dark', colour_dark ?? 'transparent');
    const name = givenName(branding);
    if (name) {
      this.title.caption = this._props.trans.__('Services (%1)', name);
    }
    this.update();
  }

  private _parts: readonly RowPart[] = [];

  private _revealed: Readonly<Record<string, number>> = {};
}
