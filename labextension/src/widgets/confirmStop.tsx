import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IStopQuestion } from '../tokens';

/** Ask whether services may be stopped, saying what is saved and what would be lost. */
export async function confirmStop(
  question: IStopQuestion,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: title(question, trans),
    body: (
      <div className="jp-vce-question">
        {sentences(question, trans).map(sentence => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: consent(question, trans) })
    ],
    // The one that changes nothing.
    defaultButton: 0
  });
  return button.accept;
}

function title(
  { verb, service, others }: IStopQuestion,
  trans: TranslationBundle
): string {
  if (!service) {
    const { length } = others;
    return trans._n(
      'Stop %1 service?',
      'Stop all %1 services?',
      length,
      length
    );
  }
  return verb === 'stop'
    ? trans.__('Stop %1?', service.title)
    : trans.__('Restart %1?', service.title);
}

/** What the dialog says; without the dialog, for the tests. */
export function sentences(
  question: IStopQuestion,
  trans: TranslationBundle
): string[] {
  const { verb, service, others, unsaved } = question;
  const { projects, unfinished } = unsaved;
  const titles = others.map(one => one.title).join(', ');
  const said: string[] = [];
  if (!service) {
    said.push(trans.__('%1. Each is given time to save its data.', titles));
  } else if (others.length > 0) {
    said.push(
      verb === 'stop'
        ? trans._n(
            '%2 needs %3, and will be stopped first. It is given time to save.',
            '%2 need %3, and will be stopped first. They are given time to save.',
            others.length,
            titles,
            service.title
          )
        : trans._n(
            '%2 needs %3. It will be stopped first, given time to save, and started again.',
            '%2 need %3. They will be stopped first, given time to save, and started again.',
            others.length,
            titles,
            service.title
          )
    );
  }
  if (projects.length > 0) {
    said.push(
      trans._n(
        'The project “%2” was changed a moment ago. It is saved first; that may take some seconds.',
        'The projects “%2” were changed a moment ago. They are saved first; that may take some seconds.',
        projects.length,
        projects.join(trans.__('”, “'))
      )
    );
  }
  if (unfinished) {
    said.push(
      trans.__(
        'An import is open that is no project yet. It would be lost: to keep it, press Cancel here and then Create Project there.'
      )
    );
  }
  return said;
}

function consent(
  { verb, service, others, unsaved }: IStopQuestion,
  trans: TranslationBundle
): string {
  const stop = verb === 'stop';
  if (!service) {
    return trans.__('Stop all');
  }
  if (others.length > 0) {
    return stop ? trans.__('Stop them') : trans.__('Restart them');
  }
  if (unsaved.unfinished) {
    return stop ? trans.__('Stop anyway') : trans.__('Restart anyway');
  }
  return stop ? trans.__('Save and stop') : trans.__('Save and restart');
}
