import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { copyIcon } from '../icons';
import type { IConnection, IService } from '../tokens';

interface IConnectionProps {
  readonly service: IService;
  readonly connection: IConnection;
  readonly open: boolean;
  readonly onToggle: (open: boolean) => void;
  readonly copy: (text: string) => void;
  readonly trans: TranslationBundle;
}

/** How to reach a database, from a notebook and from elsewhere. There is no secret in it. */
export function Connection(props: IConnectionProps): React.JSX.Element {
  const { service, connection, open, onToggle, trans } = props;
  const facts: [string, string | number | null][] = [
    [trans.__('Host'), connection.host],
    [trans.__('Port'), connection.port],
    [trans.__('Socket'), connection.socket],
    [trans.__('User'), connection.user],
    [trans.__('Database'), connection.database],
    [trans.__('Password file'), connection.password_file]
  ];
  return (
    <details
      className="jp-vce-details jp-vce-connection"
      open={open}
      onToggle={event => onToggle(event.currentTarget.open)}
    >
      <summary>{trans.__('How to connect')}</summary>
      {connection.env.length > 0 && (
        <p>
          {trans.__(
            'Notebooks and terminals started here need no settings. They find these set:'
          )}{' '}
          {connection.env.map(name => (
            <React.Fragment key={name}>
              <code>{name}</code>{' '}
            </React.Fragment>
          ))}
        </p>
      )}
      <dl>
        {facts.map(
          ([label, value]) =>
            value !== null && (
              <div key={label} className="jp-vce-connection-fact">
                <dt>{label}</dt>
                <dd>
                  <code>{value}</code>
                  <CopyButton
                    label={trans.__('Copy: %1 of %2', label, service.title)}
                    done={trans.__('Copied')}
                    onCopy={() => props.copy(String(value))}
                  />
                </dd>
              </div>
            )
        )}
      </dl>
    </details>
  );
}

interface ICopyButtonProps {
  readonly label: string;
  readonly done: string;
  readonly onCopy: () => void;
}

/** A button that says for a moment that it has done its work. */
function CopyButton(props: ICopyButtonProps): React.JSX.Element {
  const [copied, setCopied] = React.useState(false);
  React.useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <button
        type="button"
        className="jp-vce-icon-button"
        aria-label={props.label}
        title={props.label}
        onClick={() => {
          props.onCopy();
          setCopied(true);
        }}
      >
        <copyIcon.react tag="span" aria-hidden="true" />
      </button>
      <span role="status" className="jp-vce-copied">
        {copied ? props.done : ''}
      </span>
    </>
  );
}
