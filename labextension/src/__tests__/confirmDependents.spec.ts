import { confirmDependents } from '../widgets/confirmDependents';
import { database, service, trans } from './fixtures';

const genie = service({ name: 'genie', title: 'Genie' });
const maps = service({ name: 'maps', title: 'Maps' });

async function shown(): Promise<HTMLElement> {
  await new Promise(requestAnimationFrame);
  const found = [...document.querySelectorAll<HTMLElement>('.jp-Dialog')].pop();
  if (!found) {
    throw new Error('No dialog is shown.');
  }
  return found;
}

describe('confirmDependents', () => {
  it('names what goes, and has the safe button in focus', async () => {
    const asked = confirmDependents('stop', database(), [genie], trans);
    const dialog = await shown();
    expect(dialog.textContent).toContain('Stop PostgreSQL?');
    expect(dialog.textContent).toContain(
      'Genie needs PostgreSQL, and will be stopped first.'
    );
    expect(document.activeElement?.textContent).toBe('Cancel');
    dialog.querySelector<HTMLElement>('.jp-mod-reject')?.click();
    expect(await asked).toBe(false);
  });

  it('says that a restart brings them back', async () => {
    const asked = confirmDependents(
      'restart',
      database(),
      [genie, maps],
      trans
    );
    const dialog = await shown();
    expect(dialog.textContent).toContain(
      'Genie, Maps need PostgreSQL. They will be stopped first, given time to save, and started again.'
    );
    dialog.querySelector<HTMLElement>('.jp-mod-accept')?.click();
    expect(await asked).toBe(true);
  });
});
