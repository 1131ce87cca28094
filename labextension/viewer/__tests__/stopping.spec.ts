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
    followStop(stops);
    tab.dataset.vceState = 'unresponsive';
    await told();
    expect(stops).not.toHaveBeenCalled();
    tab.dataset.vceState = 'stopping';
    await told();
    expect(stops).toHaveBeenCalledTimes(1);
  });

  it('has nobody to listen to in a browser tab of its own, or in a page of others', () => {
    within(null);
    followStop(jest.fn());
    within(document.createElement('iframe'));
    followStop(jest.fn());
    jest.spyOn(window, 'frameElement', 'get').mockImplementation(() => {
      throw new Error('SecurityError');
    });
    expect(() => followStop(jest.fn())).not.toThrow();
  });
});
