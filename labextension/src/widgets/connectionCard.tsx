import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { insertIcon, serviceIcon } from '../icons';
import { type ISnippet, snippetsOf } from '../snippets';
import type { ActionRunner, IService, IVCEModel } from '../tokens';
import { problemWords } from '../words';
import { ActionButtons } from './actionButtons';
import { Connection } from './connection';
import { CopyButton } from './copyButton';
import { once } from './doubleClicks';
import { useChanges } from './hooks';
import { Progress } from './progress';
import { snippetNote, snippetTitle } from './snippetWords';
import { StateLine } from './stateLine';

/** What a connection card needs to know and to do. */
export interface IConnectionCardProps {
  readonly name: string;
  readonly model: IVCEModel;
  readonly trans: TranslationBundle;
  /** Carry out what a button says. */
  readonly run: ActionRunner;
  /** Put a text on the clipboard. */
  readonly copy: (text: string) => void;
  /** Put code into a new notebook. */
  readonly insert: (code: string) => void;
}

/** How a database is reached: from a notebook, a terminal, another program. */
export function ConnectionCardView(
  props: IConnectionCardProps
): React.JSX.Element {
  const { name, model, trans } = props;
  useChanges(model);
  const service = model.service(name);
  const connection = service?.connection;
  if (!service || !connection) {
    return (
      <p className="jp-vce-empty">
        {model.loaded
          ? trans.__('This environment has no such database.')
          : trans.__('Looking for the services…')}
      </p>
    );
  }
  const Icon = serviceIcon(service).react;
  return (
    <>
      <div className="jp-vce-card-head">
        <Icon className="jp-vce-service-icon" tag="span" aria-hidden="true" />
        <h2>{trans.__('Connect to %1', service.title)}</h2>
        <StateLine model={model} service={service} trans={trans} />
      </div>
      {model.problem && (
        <p className="jp-vce-card-problem">
          {problemWords(model.problem, trans).message}
        </p>
      )}
      <Progress model={model} service={service} trans={trans} />
      <ActionButtons
        model={model}
        service={service}
        run={props.run}
        trans={trans}
        omit={['connect', 'stop', 'restart']}
      />
      {connection.env.length > 0 && (
        <p>
          {trans.__(
            'Notebooks and terminals started here need no settings. They find these set:'
          )}{' '}
          {connection.env.map(variable => (
            <React.Fragment key={variable}>
              <code>{variable}</code>{' '}
            </React.Fragment>
          ))}
        </p>
      )}
      {snippetsOf(service, model.services).map(snippet => (
        <Snippet
          key={snippet.id}
          snippet={snippet}
          service={service}
          copy={props.copy}
          insert={props.insert}
          trans={trans}
        />
      ))}
      <section className="jp-vce-snippet">
        <h3>{trans.__('For other programs')}</h3>
        <Connection
          service={service}
          connection={connection}
          copy={props.copy}
          trans={trans}
        />
      </section>
    </>
  );
}

interface ISnippetProps extends Pick<
  IConnectionCardProps,
  'copy' | 'insert' | 'trans'
> {
  readonly snippet: ISnippet;
  readonly service: IService;
}

function Snippet(props: ISnippetProps): React.JSX.Element {
  const { snippet, service, trans } = props;
  const title = snippetTitle(snippet, trans);
  const note = snippetNote(snippet, trans);
  return (
    <section className="jp-vce-snippet" data-vce-snippet={snippet.id}>
      <h3>{title}</h3>
      {note && <p className="jp-vce-snippet-note">{note}</p>}
      <pre>
        <code>{snippet.code}</code>
      </pre>
      <div className="jp-vce-actions">
        {snippet.language === 'python' && (
          <button
            type="button"
            className="jp-vce-button"
            aria-label={trans.__(
              'Insert into a new notebook: %1 (%2)',
              title,
              service.title
            )}
            onClick={once(() => props.insert(snippet.code))}
          >
            <insertIcon.react
              className="jp-vce-button-icon"
              tag="span"
              aria-hidden="true"
            />
            <span>{trans.__('Insert into a new notebook')}</span>
          </button>
        )}
        <CopyButton
          label={trans.__('Copy: %1 of %2', title, service.title)}
          words={trans._p('verb', 'Copy')}
          done={trans.__('Copied')}
          onCopy={() => props.copy(snippet.code)}
        />
      </div>
    </section>
  );
}

/** The connection card of a database, in a tab or a dialog. */
export class ConnectionCard extends ReactWidget {
  constructor(
    readonly props: IConnectionCardProps &
      Pick<IService, 'title' | 'kind' | 'icon'>
  ) {
    super();
    const { name, model, trans, title } = props;
    this.id = ConnectionCard.id(name);
    this.addClass('jp-vce-page');
    this.addClass('jp-vce-card');
    this.node.dataset.vceService = name;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Connect to %1', title));
    this.node.tabIndex = -1;
    this.title.label = title;
    this.title.caption = trans.__('Connect to %1', title);
    this.title.closable = true;
    // At once: a tab draws an icon that comes later too large.
    this.title.icon = serviceIcon(props);
    model.changed.connect(this._mark, this);
    this._mark();
  }

  /** The id of the card of a database: there is one at most. */
  static id(name: string): string {
    return `vce-connection-${name}`;
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  /** A tab that is closed is done with: the next one asked for is a new one. */
  protected override onCloseRequest(): void {
    this.dispose();
  }

  protected override render(): React.JSX.Element {
    return <ConnectionCardView {...this.props} />;
  }

  private _mark(): void {
    const { name, model } = this.props;
    const service = model.service(name);
    this.node.dataset.vceState = model.stateOf(name);
    if (service) {
      this.title.icon = serviceIcon(service);
    }
  }
}
