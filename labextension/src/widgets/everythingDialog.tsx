import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IService } from '../tokens';
import { BodyDialog } from './bodyDialog';

interface IFoldersProps {
  readonly services: readonly IService[];
  readonly folders: readonly string[];
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (folder: string) => void;
  readonly trans: TranslationBundle;
}

/** Which folders go into the one file with all services. */
export function FoldersView(props: IFoldersProps): React.JSX.Element {
  const { services, folders, chosen, toggle, trans } = props;
  // A database tells what it holds only while it runs.
  const resting = services.filter(
    ({ connection, state }) => connection !== null && state !== 'ready'
  );
  return (
    <div className="jp-vce-question">
      <p>
        {trans.__(
          'One file to take away, with everything in %1. They may run meanwhile, and nothing in them is changed.',
          titles(services.filter(one => !resting.includes(one)))
        )}
      </p>
      {resting.length > 0 && (
        <p>
          {trans._n(
            '%2 does not run, and would be left out: to have it in the file, cancel and start it first.',
            '%2 do not run, and would be left out: to have them in the file, cancel and start them first.',
            resting.length,
            titles(resting)
          )}
        </p>
      )}
      {folders.length > 0 && (
        <fieldset>
          <legend>{trans.__('Take these folders along, too:')}</legend>
          <div className="jp-vce-picks">
            {folders.map(folder => (
              <label key={folder} className="jp-vce-choice">
                <input
                  type="checkbox"
                  checked={chosen.has(folder)}
                  onChange={() => toggle(folder)}
                />
                {folder}
              </label>
            ))}
          </div>
        </fieldset>
      )}
    </div>
  );
}

class FoldersBody
  extends ReactWidget
  implements Dialog.IBodyWidget<readonly string[]>
{
  constructor(
    private readonly _services: readonly IService[],
    private readonly _folders: readonly string[],
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  getValue(): readonly string[] {
    return this._folders.filter(folder => this._chosen.has(folder));
  }

  protected override render(): React.JSX.Element {
    return (
      <FoldersView
        services={this._services}
        folders={this._folders}
        chosen={this._chosen}
        toggle={folder => {
          const chosen = new Set(this._chosen);
          if (!chosen.delete(folder)) {
            chosen.add(folder);
          }
          this._chosen = chosen;
          this.update();
        }}
        trans={this._trans}
      />
    );
  }

  private _chosen: ReadonlySet<string> = new Set();
}

/** Ask what goes along with the services; null where nothing is to be done. */
export async function askFolders(
  services: readonly IService[],
  folders: readonly string[],
  trans: TranslationBundle
): Promise<readonly string[] | null> {
  const { button, value } = await new BodyDialog<readonly string[]>({
    title: trans.__('Back up everything?'),
    body: new FoldersBody(services, folders, trans),
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Back up everything') })
    ],
    defaultButton: 1
  }).launch();
  return button.accept ? (value ?? []) : null;
}

function titles(services: readonly IService[]): string {
  return services.map(({ title }) => title).join(', ');
}
