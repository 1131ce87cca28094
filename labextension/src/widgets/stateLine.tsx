import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { stateIcons } from '../icons';
import type { IService, IVCEModel } from '../tokens';
import { durationWords, memoryWords, stateWords } from '../words';
import { useTicking } from './hooks';

interface IStateLineProps {
  readonly model: IVCEModel;
  readonly service: IService;
  readonly trans: TranslationBundle;
}

/** The state of a service in an icon and in words, and what it has used so far. */
export function StateLine(props: IStateLineProps): React.JSX.Element {
  const { model, service, trans } = props;
  const state = model.stateOf(service.name);
  useTicking(state === 'backoff' ? 1_000 : state === 'ready' ? 20_000 : null);
  const now = model.serverNow();
  const Icon = stateIcons[state].react;
  const facts: string[] = [];
  if (state === 'ready') {
    facts.push(durationWords(now - Date.parse(service.since), trans));
    if (service.memory_bytes !== null) {
      facts.push(memoryWords(service.memory_bytes, trans));
    }
  }
  return (
    <p className="jp-vce-state">
      <Icon className="jp-vce-state-icon" tag="span" aria-hidden="true" />
      <span className="jp-vce-state-words">
        {stateWords(state, service, now, trans)}
      </span>
      {facts.map((fact, index) => (
        <span key={index} className="jp-vce-fact">
          {fact}
        </span>
      ))}
    </p>
  );
}
