import type {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd
} from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import type { IService, IVCEModel } from '../tokens';
import { type ILogViewOptions, LogView } from '../widgets/logView';

/** Brings a log back after a reload of the page; nobody needs to call it. */
const RESTORE = 'vce:restore-log';

interface ILogTabsContext {
  readonly app: JupyterFrontEnd;
  readonly model: IVCEModel;
  readonly trans: TranslationBundle;
  readonly labShell: ILabShell | null;
  readonly restorer: ILayoutRestorer | null;
  /** Show a log where there are no tabs. */
  readonly elsewhere: (service: IService) => void;
}

/** Shows the logs of services, each in one tab only; what it gives shows one. */
export function logTabs(
  context: ILogTabsContext
): (service: IService) => Widget | null {
  const { app, model, trans, labShell, restorer, elsewhere } = context;
  const tabs = new WidgetTracker<LogView>({ namespace: 'vce-log' });

  const create = ({ name, title }: ILogViewOptions): LogView => {
    const view = new LogView({ name, title }, model, trans);
    void tabs.add(view);
    app.shell.add(view, 'main');
    return view;
  };

  if (labShell && restorer) {
    app.commands.addCommand(RESTORE, {
      label: trans.__('Bring back a log'),
      describedBy: { args: { type: 'object' } },
      execute: args => create(args as unknown as ILogViewOptions)
    });
    void restorer.restore(tabs, {
      command: RESTORE,
      args: ({ options: { name, title } }) => ({ name, title }),
      name: ({ options }) => options.name
    });
  }

  return service => {
    if (!labShell) {
      elsewhere(service);
      return null;
    }
    const view =
      tabs.find(({ options }) => options.name === service.name) ??
      create(service);
    app.shell.activateById(view.id);
    return view;
  };
}
