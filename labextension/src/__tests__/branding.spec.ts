import { Branding, givenName, shortName } from '../branding';
import type { IBranding } from '../tokens';
import { FakeModel, trans } from './fixtures';

const look = (title: string): IBranding => ({
  title,
  logo: null,
  colour: null,
  colour_dark: null,
  help_url: null,
  help_text: null
});

describe('Branding', () => {
  it('is asked for when a server is found, and changes what things are called', async () => {
    const model = new FakeModel();
    const ask = jest.fn(() => Promise.resolve(look('TM351 VCE')));
    const branding = new Branding({ branding: ask }, model);
    expect(shortName(branding, trans)).toBe('VCE');
    const changed = jest.fn();
    branding.changed.connect(changed);
    model.lose(null);
    await Promise.resolve();
    expect(changed).toHaveBeenCalledTimes(1);
    expect(shortName(branding, trans)).toBe('TM351 VCE');
    model.become({});
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('leaves the names as they are where none is given, or none can be had', async () => {
    const model = new FakeModel();
    const ask = jest
      .fn<Promise<IBranding>, []>()
      .mockRejectedValueOnce(new Error())
      .mockResolvedValue(look('Virtual computing environment'));
    const branding = new Branding({ branding: ask }, model);
    for (let turn = 0; turn < 2; turn += 1) {
      model.lose(null);
      await Promise.resolve();
      expect(givenName(branding)).toBeNull();
    }
  });
});
