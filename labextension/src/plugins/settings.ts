import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { allows } from '../actions';
import { VCESettings } from '../settings';
import { inWords } from '../settingsWords';
import {
  IVCEModel,
  IVCESettings,
  SETTINGS_ID,
  TRANSLATION_DOMAIN
} from '../tokens';

/** Kept by the browser's tab: a reload of the page does not open JupyterLab anew. */
const STARTED = 'ou-vce-ext:started-with-lab';

/** What a student has chosen, and what follows from it when JupyterLab is opened. */
export const settingsPlugin: JupyterFrontEndPlugin<IVCESettings> = {
  id: SETTINGS_ID,
  description: 'Knows what a student has chosen for the services.',
  autoStart: true,
  provides: IVCESettings,
  requires: [IVCEModel],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    model: IVCEModel,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): IVCESettings => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const settings = new VCESettings();
    settings.changed.connect(() => {
      model.setInterval(settings.pollSeconds * 1000);
    });
    registry?.transform(SETTINGS_ID, {
      fetch: plugin => {
        plugin.schema = inWords(plugin.schema, trans);
        return plugin;
      }
    });
    // Nobody waits for it: until then it is as the schema says by itself.
    registry
      ?.load(SETTINGS_ID)
      .then(kept => {
        settings.follow(kept);
        startWithLab(settings, model);
      })
      .catch((reason: unknown) => {
        console.warn('ou-vce-ext: no settings, so the defaults hold.', reason);
      });
    return settings;
  }
};

/** Start what was chosen, once in the life of a browser's tab, and nothing that failed before. */
function startWithLab(settings: IVCESettings, model: IVCEModel): void {
  if (sessionStorage.getItem(STARTED) || settings.startWithLab.length === 0) {
    return;
  }
  const start = (): void => {
    if (!model.connected) {
      return;
    }
    model.changed.disconnect(start);
    sessionStorage.setItem(STARTED, 'yes');
    for (const called of settings.startWithLab) {
      const service =
        model.service(called) ??
        model.services.find(({ title }) => plain(title) === plain(called));
      if (service?.state === 'stopped' && allows('start', service, 'stopped')) {
        // How it goes is told like that of any other start.
        model.start(service.name).catch(() => undefined);
      }
    }
  };
  model.changed.connect(start);
  start();
}

/** A title without what people do not mind. */
function plain(title: string): string {
  return title.trim().toLowerCase();
}
