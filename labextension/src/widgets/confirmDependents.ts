import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IService } from '../tokens';

/** Ask whether services that need `service` may be stopped with it. */
export async function confirmDependents(
  verb: 'stop' | 'restart',
  service: IService,
  dependents: readonly IService[],
  trans: TranslationBundle
): Promise<boolean> {
  const titles = dependents.map(one => one.title).join(', ');
  const stop = verb === 'stop';
  const body = stop
    ? trans._n(
        '%2 needs %3, and will be stopped first. It is given time to save.',
        '%2 need %3, and will be stopped first. They are given time to save.',
        dependents.length,
        titles,
        service.title
      )
    : trans._n(
        '%2 needs %3. It will be stopped first, given time to save, and started again.',
        '%2 need %3. They will be stopped first, given time to save, and started again.',
        dependents.length,
        titles,
        service.title
      );
  const { button } = await showDialog({
    title: stop
      ? trans.__('Stop %1?', service.title)
      : trans.__('Restart %1?', service.title),
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({
        label: stop ? trans.__('Stop them') : trans.__('Restart them')
      })
    ],
    // The one that changes nothing.
    defaultButton: 0
  });
  return button.accept;
}
