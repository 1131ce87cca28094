import { render, screen, within } from '@testing-library/react';
import * as React from 'react';

import { type IPanelViewProps, PanelView } from '../widgets/panel';
import { type FakeModel, trans } from './fixtures';

/** The panel over a model, with actions that a test can watch. */
export function show(model: FakeModel, changes: Partial<IPanelViewProps> = {}) {
  const props = {
    model,
    branding: null,
    trans,
    run: jest.fn(() => Promise.resolve()),
    report: jest.fn(),
    everything: jest.fn(() => Promise.resolve()),
    parts: [],
    showStatus: jest.fn(),
    ...changes
  };
  const view = render(
    <main>
      <h1>Lab</h1>
      <PanelView {...props} revealed={{}} />
    </main>
  );
  const reveal = (revealed: Record<string, number>) =>
    view.rerender(
      <main>
        <h1>Lab</h1>
        <PanelView {...props} revealed={revealed} />
      </main>
    );
  return { ...props, reveal, container: view.container };
}

/** A service's place. */
export const row = (name: string) =>
  document.querySelector<HTMLElement>(`[data-vce-service="${name}"]`)!;

/** What the buttons of a service's place are called. */
export const buttons = (name: string) =>
  within(row(name))
    .queryAllByRole('button')
    .map(button => button.getAttribute('aria-label'));

export const button = (name: string) => screen.getByRole('button', { name });
