import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import { BackupPages } from '../pages/backups';
import { expect, test } from '../support/test';

/** Two databases, of which one is to be brought back. */
const LINES = {
  make: `import psycopg
with psycopg.connect(autocommit=True) as c:
    c.execute("drop table if exists diary")
    c.execute("drop database if exists survey")
    c.execute("create table diary (words text)")
    c.execute("insert into diary select repeat('dear diary ', 20) from generate_series(1, 500)")
    c.execute("create database survey")
with psycopg.connect(dbname="survey", autocommit=True) as c:
    c.execute("create table answer (words text)")
    c.execute("insert into answer values ('yes')")
print("made")`,

  change: `with psycopg.connect(autocommit=True) as c:
    c.execute("insert into diary values ('later')")
with psycopg.connect(dbname="survey", autocommit=True) as c:
    c.execute("insert into answer values ('no'), ('perhaps')")
print("changed")`,

  tell: `with psycopg.connect() as c, psycopg.connect(dbname="survey") as d:
    print(c.execute("select count(*) from diary").fetchone()[0], d.execute("select count(*) from answer").fetchone()[0])`,

  hold: `holder = psycopg.connect()
holder.execute("lock table diary")
print("held")`,

  free: `holder.close()
print("free")`,

  where: `with psycopg.connect() as c:
    print(c.execute("select pg_relation_filepath('diary')").fetchone()[0])`
} as const;

test('everything in one file; a part brought back; cancelled; without a copy', async ({
  kernel,
  page,
  server,
  vce
}) => {
  const ours = new BackupPages(vce);
  const { dialog, list } = ours;
  await fs.mkdir(path.join(server.root, 'essays'), { recursive: true });
  await fs.writeFile(path.join(server.root, 'essays', 'one.txt'), 'Ærø');
  await server.settle('postgres', 'ready');
  await server.settle('mongo', 'ready');
  const run = (lines: keyof typeof LINES): Promise<string> =>
    kernel.run(LINES[lines]);
  await vce.followNotes();
  const ask = async (): Promise<void> => {
    await ours.button('postgres', 'backups').click();
    await ours
      .of('postgres')
      .filter({ hasText: 'You made it' })
      .first()
      .getByRole('button', { name: /^Restore from/ })
      .click();
    await expect(dialog).toContainText('Restore into PostgreSQL?');
    // The question is there before its answers are.
    await expect(dialog.getByRole('checkbox')).not.toHaveCount(0);
  };
  // Others may have left some.
  let count = 0;
  await vce.openPanel();
  expect(await run('make')).toBe('made');

  await test.step('everything from the menu, with a folder', async () => {
    await page.menu.clickMenuItem('VCE>Back up everything…');
    await dialog.getByRole('checkbox', { name: 'essays' }).check();
    await vce.expectAccessible('.jp-Dialog');
    await dialog.getByRole('button', { name: 'Back up everything' }).click();
    await vce.expectNoted(/Everything is backed up/);
    await ours.button('postgres', 'backups').click();
    const all = list.locator('[data-vce-backups-of=""] > ul > li').first();
    await expect(all).toContainText('1 folder');
    await all.getByText('What is in it').click();
    await expect(all.getByRole('row', { name: /essays/ })).toContainText(
      '1 file'
    );
    await vce.expectAccessible('#vce-backups');
  });

  await test.step('a backup that goes on is cancelled, and leaves nothing', async () => {
    expect(await run('hold')).toBe('held');
    await ours.button('postgres', 'backups').click();
    count = await ours.of('postgres').count();
    await ours.button('postgres', 'back-up').click();
    const cancel = ours.button('postgres', 'cancel');
    await expect(cancel).toHaveAccessibleName(
      'Cancel the backup of PostgreSQL'
    );
    await expect(vce.row('postgres').getByRole('progressbar')).toBeVisible();
    await vce.expectAccessible('#vce-panel');
    await cancel.click();
    await expect(cancel).toBeHidden();
    await expect(ours.of('postgres')).toHaveCount(count);
    expect(await run('free')).toBe('free');
    await vce.expectRow('postgres', 'ready');
  });

  await test.step('only what is picked is brought back', async () => {
    await ours.button('postgres', 'back-up').click();
    await ours.button('postgres', 'backups').click();
    await expect(ours.of('postgres')).toHaveCount(count + 1);
    await expect(ours.of('postgres').first()).toContainText('Proven');
    expect(await run('change')).toBe('changed');
    expect(await run('tell')).toBe('501 3');
    await ask();
    for (const box of await dialog.getByRole('checkbox').all()) {
      await box.setChecked(
        /survey/.test((await box.locator('..').textContent()) ?? '')
      );
    }
    await dialog
      .getByRole('button', { name: 'Make a copy, then replace' })
      .click();
    await expect(ours.note('To undo this').first()).toBeVisible();
    expect(await run('tell')).toBe('501 1');
  });

  await test.step('data that cannot be copied are replaced only by who insists', async () => {
    const file = await run('where');
    const { data_dir: folder } = await server.service('postgres');
    await server.settle('postgres', 'stopped');
    // As a bad disk spoils it: a page of the table is no longer one.
    const table = await fs.open(path.join(folder ?? '', file), 'r+');
    await table.write(Buffer.alloc(64, 0xff), 0, 64, 8192);
    await table.close();
    await server.settle('postgres', 'ready');
    await ask();
    await dialog
      .getByRole('button', { name: 'Make a copy, then replace' })
      .click();
    const why = vce
      .row('postgres')
      .getByRole('button', { name: 'What to do about it (PostgreSQL)' });
    await why.click();
    await expect(dialog).toContainText('The restore did not work');
    await expect(dialog.getByRole('button', { name: 'Close' })).toBeFocused();
    await vce.expectAccessible('.jp-Dialog');
    await dialog.getByRole('button', { name: 'Without a copy…' }).click();
    await expect(dialog).toContainText('There is no undo then');
    await expect(
      dialog.getByRole('button', { name: 'Keep my data' })
    ).toBeFocused();
    await vce.expectAccessible('.jp-Dialog');
    await dialog.getByRole('button', { name: 'Replace without undo' }).click();
    // How long the way there is decides whether a note has room for it.
    await expect(
      ours.note(/What was there before is kept in|Read all/).first()
    ).toBeVisible();
    expect(await run('tell')).toBe('500 1');
  });
});
