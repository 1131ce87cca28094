import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IBackup, IDataItem, IRestoreWish } from '../backupTokens';
import { countWords, itemKindWords, momentWords } from '../backupWords';
import {
  firstChoice,
  freeName,
  type IRestoreChoice,
  nameable,
  replaceable,
  wholes,
  wishOf
} from '../restoreWish';
import type { IService } from '../tokens';
import { BodyDialog } from './bodyDialog';

interface IRestoreViewProps {
  readonly backup: IBackup;
  /** Those it is about. */
  readonly services: readonly IService[];
  /** Names that are in use. */
  readonly taken: readonly string[];
  readonly choice: IRestoreChoice;
  readonly choose: (choice: IRestoreChoice) => void;
  readonly trans: TranslationBundle;
}

/** In the place of what is there, or beside it; all of it, or some. */
export function RestoreView(props: IRestoreViewProps): React.JSX.Element {
  const { backup, services, choice, choose, trans } = props;
  const inPlace = replaceable(services);
  const beside = nameable(backup, services).length > 0;
  const way = (
    how: IRestoreChoice['how'],
    words: string
  ): React.JSX.Element => (
    <label className="jp-vce-choice">
      <input
        type="radio"
        name="jp-vce-how"
        checked={choice.how === how}
        onChange={() => choose({ ...choice, how })}
      />
      {words}
    </label>
  );
  return (
    <div className="jp-vce-question jp-vce-restore">
      {backup.verified !== 'verified' && (
        <p>
          {backup.verified === 'failed'
            ? trans.__(
                'Careful: this backup went wrong when it was tried. If it goes wrong again, nothing is changed.'
              )
            : trans.__(
                'It has not been proven yet. It is checked while it is restored: if anything is wrong with it, nothing is changed.'
              )}
        </p>
      )}
      {inPlace && beside && (
        <fieldset>
          <legend>{trans.__('Where should it go?')}</legend>
          {way(
            'replace',
            trans.__('In its old place: what is there now is replaced')
          )}
          {way('beside', trans.__('Beside what is there, under a new name'))}
        </fieldset>
      )}
      {choice.how === 'beside' ? <Beside {...props} /> : <InPlace {...props} />}
    </div>
  );
}

function Beside(props: IRestoreViewProps): React.JSX.Element {
  const { backup, services, taken, choice, choose, trans } = props;
  const items = nameable(backup, services);
  const into = services.map(({ title }) => title).join(', ');
  return (
    <>
      {items.length > 1 && (
        <label className="jp-vce-field">
          {trans.__('What')}
          <select
            value={choice.item}
            onChange={({ target: { value } }) => {
              const item = items.find(({ key }) => key === value);
              choose({
                ...choice,
                item: value,
                name: item ? freeName(item, taken) : choice.name
              });
            }}
          >
            {items.map(item => (
              <option key={item.key} value={item.key}>
                {item.name}
              </option>
            ))}
          </select>
        </label>
      )}
      <label className="jp-vce-field">
        {trans.__('New name')}
        <input
          type="text"
          value={choice.name}
          maxLength={63}
          spellCheck={false}
          autoComplete="off"
          onChange={({ target: { value } }) =>
            choose({ ...choice, name: value })
          }
        />
      </label>
      <p>
        {trans.__(
          'Nothing that is in %1 now is changed. A name that is in use is refused.',
          into
        )}
      </p>
    </>
  );
}

function InPlace(props: IRestoreViewProps): React.JSX.Element {
  const { backup, services, choice, choose, trans } = props;
  const items = wholes(backup);
  const into = services.map(({ title }) => title).join(', ');
  const titleOf = (name: string | null): string =>
    services.length > 1
      ? (services.find(one => one.name === name)?.title ?? '')
      : '';
  const toggle = (key: string): void => {
    const chosen = new Set(choice.items);
    if (!chosen.delete(key)) {
      chosen.add(key);
    }
    choose({ ...choice, items: chosen });
  };
  return (
    <>
      {items.length > 0 && (
        <fieldset>
          <legend>
            {trans.__('Back to how it was on %1:', momentWords(backup.created))}
          </legend>
          <div className="jp-vce-picks">
            {items.map(item => (
              <label key={item.key} className="jp-vce-choice">
                <input
                  type="checkbox"
                  checked={choice.items.has(item.key)}
                  onChange={() => toggle(item.key)}
                />
                {pickWords(item, titleOf(item.service), trans)}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <p>
        {trans.__(
          'What you changed in it since then goes. What is in %1 and not in this list stays as it is.',
          into
        )}
      </p>
      <p>
        {services.some(({ error }) => error?.code === 'data-wrong-version')
          ? trans.__(
              'What is there now cannot be opened by the release that is installed. It is kept as it is, in a folder beside the new one.'
            )
          : trans.__(
              'A safety copy of how it is now is made first and proven, so that you can undo this. It interrupts %1 for a moment: open notebooks have to connect again.',
              into
            )}
      </p>
    </>
  );
}

function pickWords(
  item: IDataItem,
  title: string,
  trans: TranslationBundle
): string {
  if (title) {
    return trans.__('%1: %2', title, pickWords(item, '', trans));
  }
  if (item.kind === 'roles') {
    return trans.__('Users and their rights');
  }
  // The folder of an app takes its old place like all else.
  if (item.kind === 'folder' && item.service === null) {
    return trans.__('Folder %1, into a new folder beside yours', item.name);
  }
  const kind = itemKindWords(item.kind, trans);
  const count = countWords(item, trans);
  return count
    ? trans.__('%1 %2 (%3)', kind, item.name, count)
    : trans.__('%1 %2', kind, item.name);
}

/** The view with what is chosen in it, as the body of a dialog. */
class RestoreBody
  extends ReactWidget
  implements Dialog.IBodyWidget<IRestoreWish | null>
{
  constructor(
    private readonly _backup: IBackup,
    private readonly _services: readonly IService[],
    private readonly _taken: readonly string[],
    private readonly _trans: TranslationBundle,
    private readonly _chosen: (choice: IRestoreChoice) => void
  ) {
    super();
    this.choice = firstChoice(_backup, _services, _taken);
  }

  choice: IRestoreChoice;

  getValue(): IRestoreWish | null {
    return wishOf(this.choice, this._backup);
  }

  protected override render(): React.JSX.Element {
    return (
      <RestoreView
        backup={this._backup}
        services={this._services}
        taken={this._taken}
        choice={this.choice}
        choose={choice => {
          this.choice = choice;
          this._chosen(choice);
          this.update();
        }}
        trans={this._trans}
      />
    );
  }
}

/** Ask how a backup is to be restored; null where it is not. */
export async function askRestore(
  backup: IBackup,
  services: readonly IService[],
  taken: readonly string[],
  trans: TranslationBundle
): Promise<IRestoreWish | null> {
  const dialog = new BodyDialog<IRestoreWish | null>({
    title: trans.__(
      'Restore into %1?',
      services.map(({ title }) => title).join(', ')
    ),
    body: new RestoreBody(backup, services, taken, trans, choice => {
      show(choice);
    }),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Make a copy, then replace') })
    ],
    // The one that changes nothing.
    defaultButton: 0
  });
  // The button says what it will do, which depends on what is chosen.
  const show = (choice: IRestoreChoice): void => {
    const button = dialog.node.querySelector<HTMLButtonElement>(
      'button.jp-mod-accept'
    );
    const label = button?.querySelector('.jp-Dialog-buttonLabel');
    if (button && label) {
      const beside = choice.how === 'beside';
      label.textContent = beside
        ? trans.__('Put it beside')
        : trans.__('Make a copy, then replace');
      button.classList.toggle('jp-mod-warn', !beside);
      button.setAttribute('aria-label', label.textContent);
      button.disabled = wishOf(choice, backup) === null;
    }
  };
  show(firstChoice(backup, services, taken));
  const { button, value } = await dialog.launch();
  return button.accept ? value : null;
}
