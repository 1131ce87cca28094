import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IConnection, IService } from '../tokens';
import { CopyButton } from './copyButton';

interface IConnectionProps {
  readonly service: IService;
  readonly connection: IConnection;
  readonly copy: (text: string) => void;
  readonly trans: TranslationBundle;
}

/** Where a database is, one fact at a time. There is no secret in it. */
export function Connection(props: IConnectionProps): React.JSX.Element {
  const { service, connection, trans } = props;
  const facts: [string, string | number | null][] = [
    [trans.__('Host'), connection.host],
    [trans.__('Port'), connection.port],
    [trans.__('Socket'), connection.socket],
    [trans.__('User'), connection.user],
    [trans.__('Database'), connection.database],
    [trans.__('Password file'), connection.password_file]
  ];
  return (
    <dl className="jp-vce-connection">
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
  );
}
