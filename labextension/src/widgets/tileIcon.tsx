import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { serviceIcon, vceIcon } from '../icons';
import type { IService, IVCEModel } from '../tokens';
import { stateWords } from '../words';
import { useChanges, useTicking } from './hooks';

/**
 * The icon of a service's tile, which also keeps the tile around it true.
 *
 * JupyterLab's launcher draws a tile from a command and draws it once; the icon is the one part of
 * it that is ours. So the icon follows the model and writes the service's name and state on the
 * tile, where CSS turns them into words and colours.
 */
export function tileIcon(
  service: IService,
  model: IVCEModel,
  trans: TranslationBundle
): LabIcon {
  const base = serviceIcon(service);

  const Tile = React.forwardRef<SVGElement, LabIcon.IReactProps>(
    function Tile(props, _ref) {
      const svg = React.useRef<SVGElement>(null);
      useChanges(model);
      const current = model.service(service.name) ?? service;
      const state = model.stateOf(service.name);
      useTicking(state === 'backoff' ? 1_000 : null);
      const words = stateWords(state, current, model.serverNow(), trans);
      React.useLayoutEffect(() => {
        const card = svg.current?.closest<HTMLElement>('.jp-LauncherCard');
        if (card) {
          card.dataset.vceService = service.name;
          card.dataset.vceState = state;
          card.dataset.vceWords = words;
          card.setAttribute('aria-label', `${service.title}: ${words}`);
        }
      }, [state, words]);
      // The heading of the section borrows its first tile's icon; the section is not that service.
      return props.stylesheet === 'launcherSection' ? (
        <vceIcon.react {...props} />
      ) : (
        <base.react {...props} ref={svg} />
      );
    }
  );

  // As LabIcon's own `bindprops` makes a view of an icon.
  return Object.create(base, { react: { value: Tile } }) as LabIcon;
}
