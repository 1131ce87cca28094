import {
  act,
  cleanup,
  fireEvent,
  render,
  screen
} from '@testing-library/react';
import { MessageLoop } from '@lumino/messaging';
import { FocusTracker, Widget } from '@lumino/widgets';
import * as React from 'react';

import { AppTab } from '../widgets/appTab';
import { NoticeView } from '../widgets/notice';
import { FakeModel, service, trans } from './fixtures';

const ADDRESS = 'http://localhost:8888/user/jo/vce/app/openrefine/';

describe('AppTab', () => {
  const setUp = (model: FakeModel, path = '') =>
    new AppTab({
      name: 'openrefine',
      title: 'Kept title',
      kind: 'openrefine',
      icon: null,
      url: ADDRESS,
      path,
      model,
      trans,
      run: () => Promise.resolve()
    });

  it('is named by what was kept until the server says more', () => {
    const model = new FakeModel();
    const tab = setUp(model);
    expect(tab.title.label).toBe('Kept title');
    model.services = [service({ state: 'ready' })];
    model.become({});
    expect(tab.title.label).toBe('OpenRefine');
    expect(tab.title.caption).toBe('OpenRefine: Running');
    expect(tab.title.dataset).toEqual({
      'vce-service': 'openrefine',
      'vce-state': 'ready'
    });
    expect(tab.node.dataset.vceState).toBe('ready');
    tab.dispose();
  });

  it('loads the page once, after it has come to its place', async () => {
    const tab = setUp(new FakeModel(service()));
    const frame = tab.node.querySelector('iframe')!;
    act(() => Widget.attach(tab, document.body));
    expect(frame.src).toBe('');
    act(() => {
      Widget.detach(tab);
      Widget.attach(tab, document.body);
    });
    await act(() => new Promise(resolve => setTimeout(resolve)));
    expect(frame.src).toBe(ADDRESS);
    expect(frame.title).toBe('OpenRefine');
    act(() => tab.dispose());
  });

  it.each([
    ['project?project=42', `${ADDRESS}project?project=42`],
    ['../../../lab', ADDRESS],
    ['https://elsewhere.example/', ADDRESS],
    ['javascript:alert(1)', ADDRESS]
  ])('begins with a page of the app and no other: %s', async (path, src) => {
    const tab = setUp(new FakeModel(service()), path);
    act(() => Widget.attach(tab, document.body));
    await act(() => new Promise(resolve => setTimeout(resolve)));
    expect(tab.node.querySelector('iframe')!.src).toBe(src);
    act(() => tab.dispose());
  });

  it('is the current tab when it is used, in browsers that do not tell so', () => {
    const tab = setUp(new FakeModel(service()));
    const frame = tab.node.querySelector('iframe')!;
    const other = new Widget();
    const tracker = new FocusTracker<Widget>();
    tracker.add(tab);
    tracker.add(other);
    act(() => Widget.attach(tab, document.body));
    Widget.attach(other, document.body);
    const elsewhere = () => {
      other.node.dispatchEvent(new FocusEvent('focus'));
      expect(tracker.currentWidget).toBe(other);
    };
    elsewhere();
    jest.spyOn(frame, 'focus').mockImplementation(() => undefined);
    MessageLoop.sendMessage(tab, Widget.Msg.ActivateRequest);
    expect(tracker.currentWidget).toBe(tab);
    elsewhere();
    act(() => void fireEvent.load(frame));
    frame.contentWindow!.dispatchEvent(new FocusEvent('focus'));
    expect(tracker.currentWidget).toBe(tab);
    tracker.dispose();
    other.dispose();
    act(() => tab.dispose());
  });

  it('remembers the page of the app that is shown', () => {
    const tab = setUp(new FakeModel(service()));
    const frame = tab.node.querySelector('iframe')!;
    const moved = jest.fn();
    tab.moved.connect(moved);
    const load = (href: string) => {
      const contentWindow = Object.assign(new EventTarget(), {
        location: { href }
      });
      Object.defineProperty(frame, 'contentWindow', {
        configurable: true,
        value: contentWindow
      });
      act(() => void frame.dispatchEvent(new Event('load')));
    };
    load(`${ADDRESS}project?project=42`);
    expect(tab.path).toBe('project?project=42');
    load('about:blank');
    expect(tab.path).toBe('project?project=42');
    expect(moved).toHaveBeenCalledTimes(1);
    tab.dispose();
  });

  it('lets the page do all but replace the page around it', () => {
    const tab = setUp(new FakeModel(service()));
    const allowed = tab.node.querySelector('iframe')!.getAttribute('sandbox')!;
    for (const right of ['scripts', 'same-origin', 'forms', 'downloads']) {
      expect(allowed).toContain(`allow-${right}`);
    }
    expect(allowed).not.toContain('top-navigation');
    tab.dispose();
  });
});

describe('NoticeView', () => {
  afterEach(cleanup);

  const setUp = (model: FakeModel) => {
    const reload = jest.fn();
    const run = jest.fn(() => Promise.resolve());
    const notice = (loads: number) => (
      <NoticeView
        name="openrefine"
        loads={loads}
        model={model}
        run={run}
        trans={trans}
        reload={reload}
      />
    );
    const { container, rerender } = render(notice(0));
    return { reload, run, container, load: () => rerender(notice(1)) };
  };

  it('leaves a start to the page of the server', () => {
    const model = new FakeModel(service());
    const { container } = setUp(model);
    act(() => model.become({ openrefine: 'starting' }));
    act(() => model.become({ openrefine: 'ready' }));
    expect(container.textContent).toBe('');
  });

  it('offers a start, then a reload, when the app ended under its page', () => {
    const model = new FakeModel(service({ state: 'ready' }));
    const { reload, run, container, load } = setUp(model);
    act(() => model.become({ openrefine: 'stopping' }));
    expect(container.textContent).toBe('');
    act(() => model.become({ openrefine: 'stopped' }));
    expect(container.textContent).toContain('OpenRefine has stopped.');
    fireEvent.click(screen.getByRole('button', { name: 'Start' }));
    expect(run).toHaveBeenCalledWith('start', model.services[0]);
    act(() => model.become({ openrefine: 'starting' }));
    expect(container.textContent).toBe('OpenRefine is starting.');
    act(() => model.become({ openrefine: 'ready' }));
    fireEvent.click(screen.getByRole('button', { name: 'Reload its page' }));
    expect(reload).toHaveBeenCalled();
    load();
    expect(container.textContent).toBe('');
    act(() => model.become({ openrefine: 'failed' }));
    expect(container.textContent).toContain('OpenRefine failed.');
  });

  it('says while the server is gone that nobody knows how the app is', () => {
    const model = new FakeModel(service({ state: 'ready' }));
    const { container } = setUp(model);
    act(() => model.lose({ code: 'unreachable', message: '', hint: '' }));
    expect(container.textContent).toBe('The Jupyter server cannot be reached.');
    act(() => model.lose(null));
    expect(container.textContent).toBe('');
  });
});
