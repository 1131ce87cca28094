import * as path from 'node:path';

import { BackupPages } from '../pages/backups';
import { expect, test } from '../support/test';

/** How Galata reloads a page without waiting for what it knows of it. */
const AS_IT_IS = { waitUntil: 'load', waitForIsReady: false } as const;

/** A student's work, with what is easily spoiled: accents, order, two schemas, a large number. */
const MAKE = `import psycopg
with psycopg.connect(autocommit=True) as c:
    c.execute("drop table if exists sighting")
    c.execute("drop schema if exists field cascade")
    c.execute("drop database if exists catch_up")
    c.execute("create schema field")
    c.execute("create table sighting (id serial primary key, place text, seen timestamptz default now())")
    c.execute("create table field.note (words text, weight numeric)")
    c.execute("insert into sighting (place) select 'Ærø ' || n from generate_series(1, 2000) n")
    c.execute("insert into field.note values ('Ørsted — “H₂”', 12345678901234567890.12345)")
print("made")`;

/** All of it in a few letters. */
const TELL = `import psycopg
with psycopg.connect(autocommit=True) as c:
    there = c.execute("select count(*) from pg_tables where tablename in ('sighting', 'note')").fetchone()[0]
    told = "nothing" if not there else c.execute("""select md5(string_agg(v::text, '|' order by id)) || ' ' ||
        (select md5(string_agg(n::text, '|')) from field.note n) from sighting v""").fetchone()[0]
print("told", told)`;

/** What the module team sends round: a plain dump that \`pg_dump\` made. */
const DUMP = `import subprocess
subprocess.run(["pg_dump", "--file=catch-up.sql"], check=True)
print("dumped")`;

const BESIDE = `import psycopg
with psycopg.connect(dbname="catch_up", autocommit=True) as c:
    print("beside", c.execute("select count(*) from sighting").fetchone()[0])`;

/** Who has a table for themselves keeps a backup waiting, until they let go (for 30 s at most). */
const HOLD = `holder = psycopg.connect()
holder.execute("lock table sighting")
print("held")`;

const LET_GO = `holder.close()
print("let go")`;

// What a page keeps over a reload is really kept.
test.use({ mockState: false });

test('back up, prove, reset with a preview, undo: equal', async ({
  keptLayout,
  kernel,
  page,
  server,
  vce
}) => {
  const ours = new BackupPages(vce);
  const { dialog, list } = ours;
  // Others may have left some.
  await server.forgetBackups();
  await server.settle('postgres', 'ready');
  await vce.followNotes();
  await vce.openPanel();
  expect(await kernel.run(MAKE)).toBe('made');
  const before = await kernel.run(TELL);
  expect(before).toMatch(/^told [0-9a-f]{32} /);

  await test.step('back up from the menu; it is proven by itself', async () => {
    const newest = vce.row('postgres').locator('.jp-vce-newest');
    await expect(newest).toHaveText('No backup yet');
    await ours.choose('PostgreSQL', 'Back up PostgreSQL');
    await ours.expectProven('postgres');
  });

  await test.step('a reset says what would go, and the safe button has the focus', async () => {
    await ours.button('postgres', 'reset').click();
    await expect(dialog).toContainText('Reset PostgreSQL?');
    await expect(dialog.getByRole('row', { name: /sighting/ })).toContainText(
      '2,000 rows'
    );
    await expect(dialog.getByRole('row', { name: /note/ })).toContainText(
      '1 row'
    );
    await expect(dialog).toContainText('Your backups');
    await expect(dialog).toContainText('you can undo the reset');
    await vce.expectAccessible('.jp-Dialog');
    await expect(
      dialog.getByRole('button', { name: 'Keep my data' })
    ).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
    expect(await kernel.run(TELL)).toBe(before);
  });

  await test.step('reset, from the menu', async () => {
    await ours.choose('PostgreSQL', 'Reset PostgreSQL…');
    await dialog
      .getByRole('button', { name: 'Make a copy, then reset' })
      .click();
    await expect(ours.note('as fresh as on the first day')).toBeVisible();
    expect(await kernel.run(TELL)).toBe('told nothing');
  });

  await test.step('the list says what undoes it', async () => {
    await ours.button('postgres', 'backups').click();
    await expect(
      list.getByRole('heading', { name: 'PostgreSQL' })
    ).toBeFocused();
    await expect(ours.of('postgres')).toHaveCount(2);
    const copy = ours.of('postgres').first();
    await expect(copy).toContainText(
      'Safety copy: undoes the reset of PostgreSQL'
    );
    await expect(copy).toContainText('Proven');
    await expect(
      copy.getByRole('button', { name: /^Put everything back/ })
    ).toHaveText('Undo the reset');
    await copy.getByText('What is in it').click();
    await vce.expectAccessible('#vce-backups', '#vce-panel');
    // All that follows is in the dark.
    await page.theme.setDarkTheme();
    await vce.expectAccessible('#vce-backups', '#vce-panel');
  });

  await test.step('undo from the note: all is as before', async () => {
    await ours
      .note('as fresh as on the first day')
      .getByRole('button', { name: 'Undo' })
      .click();
    await expect(ours.note('is as before')).toBeVisible();
    expect(await kernel.run(TELL)).toBe(before);
  });

  await test.step('a dump of another is put beside, and changes nothing', async () => {
    expect(await kernel.run(DUMP)).toBe('dumped');
    await ours.choose('PostgreSQL', 'Restore PostgreSQL…');
    const choosing = page.waitForEvent('filechooser');
    await list
      .getByRole('button', { name: 'Upload a file for PostgreSQL…' })
      .click();
    await (await choosing).setFiles(path.join(server.root, 'catch-up.sql'));
    await ours
      .note('is among the backups of PostgreSQL')
      .getByRole('button', { name: 'Restore…' })
      .click();
    await expect(dialog).toContainText('Restore into PostgreSQL?');
    await vce.expectAccessible('.jp-Dialog');
    const name = dialog.getByRole('textbox', { name: 'New name' });
    await expect(name).toHaveValue(/_2$/);
    await name.fill('catch_up');
    await dialog.getByRole('button', { name: 'Put it beside' }).click();
    await vce.expectNoted(/as catch_up/);
    expect(await kernel.run(BESIDE)).toBe('beside 2000');
    expect(await kernel.run(TELL)).toBe(before);
  });

  await test.step('take away, pin, and delete after being asked', async () => {
    await ours.button('postgres', 'backups').click();
    await expect(
      list.getByRole('heading', { name: 'PostgreSQL' })
    ).toBeFocused();
    const upload = ours.of('postgres').filter({ hasText: 'from elsewhere' });
    const downloading = page.waitForEvent('download');
    await upload.getByRole('link', { name: /^Download/ }).click();
    expect((await downloading).suggestedFilename()).toBe('catch-up.sql');
    const count = await ours.of('postgres').count();
    await upload.getByRole('button', { name: /^Pin/ }).click();
    await expect(upload).toContainText('Pinned');
    await upload.getByRole('button', { name: /^Delete/ }).click();
    await expect(dialog).toContainText('Delete this backup?');
    await expect(dialog.getByRole('button', { name: 'Keep it' })).toBeFocused();
    await vce.expectAccessible('.jp-Dialog');
    await dialog.getByRole('button', { name: 'Delete the backup' }).click();
    await expect(ours.of('postgres')).toHaveCount(count - 1);
    await expect(
      list.getByRole('heading', { name: 'PostgreSQL' })
    ).toBeFocused();
  });

  await test.step('the list and the note of running work outlive a reload', async () => {
    const count = await ours.of('postgres').count();
    await page.getByRole('tab', { name: 'Services (VCE)' }).click();
    await expect(vce.panel).toBeHidden();
    await expect.poll(keptLayout).toMatchObject({
      left: { collapsed: true },
      main: { current: 'vce-backups:vce-backups' }
    });
    expect(await kernel.run(HOLD)).toBe('held');
    await ours.choose('PostgreSQL', 'Back up PostgreSQL');
    await expect(ours.note('Waiting for the table sighting')).toBeVisible();
    // Galata would wait for a launcher in front, and the list is what is in front.
    await page.reload(AS_IT_IS);
    await expect(ours.note('Waiting for the table sighting')).toBeVisible();
    await expect(list).toBeVisible();
    expect(await kernel.run(LET_GO)).toBe('let go');
    await vce.expectNoted(/PostgreSQL is backed up|can be restored/);
    await expect(ours.of('postgres')).toHaveCount(count + 1);
    await expect(ours.of('postgres').first()).toContainText('Proven');
  });
});
