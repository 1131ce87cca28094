import { act, cleanup, render } from '@testing-library/react';
import * as React from 'react';

import { tileIcon } from '../widgets/tileIcon';
import { FakeModel, service, trans } from './fixtures';

afterEach(cleanup);

function card(model: FakeModel): HTMLElement {
  const Icon = tileIcon(model.services[0]!, model, trans).react;
  const { container } = render(
    <div className="jp-LauncherCard">
      <div className="jp-LauncherCard-icon">
        <Icon stylesheet="launcherCard" />
      </div>
    </div>
  );
  return container.firstElementChild as HTMLElement;
}

describe('tileIcon', () => {
  it('writes name and state on its tile and keeps them true', () => {
    const model = new FakeModel(service());
    const tile = card(model);
    expect(tile.querySelector('svg')).toBeTruthy();
    expect(tile.dataset).toMatchObject({
      vceService: 'openrefine',
      vceState: 'stopped',
      vceWords: 'Stopped'
    });
    expect(tile.getAttribute('aria-label')).toBe('OpenRefine: Stopped');
    act(() => model.become({ openrefine: 'ready' }));
    expect(tile.dataset.vceState).toBe('ready');
    expect(tile.getAttribute('aria-label')).toBe('OpenRefine: Running');
    act(() => model.lose({ code: 'unreachable', message: '', hint: '' }));
    expect(tile.dataset.vceState).toBe('unknown');
  });

  it('shows the picture that a service declares', () => {
    const icon = '/user/jo/files/100%25%20genie.png?a=1&b=2';
    const tile = card(new FakeModel(service({ icon })));
    expect(tile.querySelector('image')?.getAttribute('href')).toBe(icon);
  });

  it('leaves alone the heading that borrows it', () => {
    const model = new FakeModel(service());
    const Icon = tileIcon(model.services[0]!, model, trans).react;
    const { container } = render(
      <div className="jp-Launcher-sectionHeader">
        <Icon stylesheet="launcherSection" />
      </div>
    );
    expect(container.querySelector('svg')).toBeTruthy();
    expect(container.querySelector('[data-vce-service]')).toBeNull();
  });
});
