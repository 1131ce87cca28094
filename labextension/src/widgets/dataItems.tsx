import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDataItem } from '../backupTokens';
import {
  countWords,
  itemKindWords,
  itemName,
  momentWords,
  sizeWords
} from '../backupWords';

interface IDataItemsProps {
  readonly items: readonly IDataItem[];
  /** What the table is about, for those who hear it. */
  readonly label: string;
  readonly trans: TranslationBundle;
}

/** Things a service holds, one a row: what, how much, how large, changed when. */
export function DataItems(props: IDataItemsProps): React.JSX.Element {
  const { items, label, trans } = props;
  const several = new Set(items.map(({ within }) => within)).size > 1;
  const dated = items.some(({ changed }) => changed !== null);
  return (
    <div
      className="jp-vce-items"
      role="region"
      aria-label={label}
      // What scrolls must be within reach of the keys.
      tabIndex={0}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('What')}</th>
            <th scope="col">{trans.__('How much')}</th>
            <th scope="col">{trans.__('Size')}</th>
            {dated && <th scope="col">{trans.__('Last change')}</th>}
          </tr>
        </thead>
        <tbody>
          {items.map(item => (
            <tr key={`${item.service ?? ''} ${item.key}`}>
              <th scope="row">
                {several && item.within !== null && (
                  <span className="jp-vce-item-within">
                    {trans.__('%1:', item.within)}{' '}
                  </span>
                )}
                {itemName(item, trans)}
              </th>
              <td>{itemKindWords(item.kind, trans)}</td>
              <td>{countWords(item, trans)}</td>
              <td>{item.bytes === null ? '' : sizeWords(item.bytes, trans)}</td>
              {dated && (
                <td>
                  {item.changed === null ? '' : momentWords(item.changed)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
