import { followStop } from '../stopping';

/** Let observers of what has just changed have their turn. */
const told = (): Promise<void> => Promise.resolve();

describe('followStop', () => {
  const within = (frame: Element | null): void => {
    jest.spyOn(window, 'frameElement', 'get').mockReturnValue(frame);
  };

  it('tells when the tab around is told that its service is being stopped', async () => {
    const tab = document.createElement('div');
    tab.dataset.vceState = 'ready';
    tab.innerHTML = '<div><iframe></iframe></div>';
    within(tab.querySelector('iframe'));
    const stops = jest.fn();
    followStop(stops, jest.fn());
    tab.dataset.vceState = 'unresponsive';
    await told();
    expect(stops).not.toHaveBeenCalled();
    tab.dataset.vceState = 'stopping';
    await told();
    expect(stops).toHaveBeenCalledTimes(1);
  });

  it('tells once when it has a question, and once when it has none any more', async () => {
    const tab = document.createElement('div');
    tab.dataset.vceState = 'ready';
    tab.innerHTML = '<div><iframe></iframe></div>';
    within(tab.querySelector('iframe'));
    const asks = jest.fn();
    followStop(jest.fn(), asks);
    for (const waits of ['answer', 'answer', '', '']) {
      tab.dataset.vceWaits = waits;
      await told();
    }
    expect(asks.mock.calls).toEqual([[true], [false]]);
  });

  it('has nobody to listen to in a browser tab of its own, or in a page of others', () => {
    within(null);
    followStop(jest.fn(), jest.fn());
    within(document.createElement('iframe'));
    followStop(jest.fn(), jest.fn());
    jest.spyOn(window, 'frameElement', 'get').mockImplementation(() => {
      throw new Error('SecurityError');
    });
    expect(() => followStop(jest.fn(), jest.fn())).not.toThrow();
  });
});
