import { galata } from '@jupyterlab/galata';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import { expect, test } from '../support/test';

/** What a student types: no host, no port, no password. */
const CELLS = [
  `import os
import psycopg
import pymongo`,

  `with psycopg.connect() as connection:
    connection.execute("create table if not exists visit (place text)")
    connection.execute("insert into visit values ('Ærø'), ('Øresund')")
    found = connection.execute("select place, count(*) from visit group by 1 order by 1").fetchall()
print("PostgreSQL:", found)`,

  `client = pymongo.MongoClient(os.environ["MONGODB_URI"])
db = client.get_default_database()
with client.start_session() as session:
    with session.start_transaction():
        db.visit.insert_one({"place": "Ærø"}, session=session)
        db.stay.insert_one({"place": "Ærø", "nights": 2}, session=session)
    try:
        with session.start_transaction():
            db.visit.insert_one({"place": "Atlantis"}, session=session)
            raise LookupError("there is no such place")
    except LookupError:
        pass
print("MongoDB:", sorted(visit["place"] for visit in db.visit.find()), db.stay.count_documents({}))`
];

test('a notebook finds both databases by itself', async ({
  page,
  server,
  vce
}) => {
  const cells = CELLS.map(source => galata.Notebook.makeCell({ source }));
  await fs.mkdir(path.join(server.root, 'notebooks'), { recursive: true });
  await fs.writeFile(
    path.join(server.root, 'notebooks', 'databases.ipynb'),
    JSON.stringify(galata.Notebook.makeNotebook(cells))
  );
  await server.settle('postgres', 'ready');
  await server.settle('mongo', 'ready');
  const output = page.locator('.jp-Notebook .jp-OutputArea-output');
  const idle = page.getByText('Python 3 (ipykernel) | Idle');
  const menu = async (...names: string[]): Promise<void> => {
    await page.menu.clickMenuItem(names.join('>'));
  };

  await test.step('write to both and read from both', async () => {
    await page.evaluate(async () => {
      await window.jupyterapp.commands.execute('docmanager:open', {
        path: 'notebooks/databases.ipynb'
      });
    });
    await expect(idle).toBeVisible();
    await menu('Run', 'Run All Cells');
    await expect(output).toHaveText([
      "PostgreSQL: [('Ærø', 1), ('Øresund', 1)]",
      "MongoDB: ['Ærø'] 1"
    ]);
  });

  await test.step('again after the kernel was restarted', async () => {
    await menu('Kernel', 'Restart Kernel and Run All Cells…');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: 'Confirm Kernel Restart' })
      .click();
    await expect(output).toHaveText([
      "PostgreSQL: [('Ærø', 2), ('Øresund', 2)]",
      "MongoDB: ['Ærø', 'Ærø'] 2"
    ]);
  });

  await test.step('again from the same kernel after the databases were', async () => {
    await vce.openPanel();
    for (const name of ['postgres', 'mongo']) {
      const { pid } = await server.service(name);
      await vce.button(name, 'restart').click();
      await expect
        .poll(async () => {
          const now = await server.service(name);
          return now.state === 'ready' && now.pid !== pid;
        })
        .toBe(true);
    }
    await menu('Run', 'Run All Cells');
    await expect(output).toHaveText([
      "PostgreSQL: [('Ærø', 3), ('Øresund', 3)]",
      "MongoDB: ['Ærø', 'Ærø', 'Ærø'] 3"
    ]);
  });
});

test('a tile of a database shows how to connect, and makes a notebook of it', async ({
  context,
  page,
  server,
  vce
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await server.settle('postgres', 'stopped');
  await vce.expectTile('postgres', 'stopped');
  await vce.tile('postgres').click();
  const card = vce.card('postgres');
  await expect(card).toBeVisible();
  await expect(card).toContainText('need no settings');
  await expect(
    card.locator('code').filter({ hasText: 'PGHOST' })
  ).toBeVisible();

  await test.step('which started it', async () => {
    await expect(card).toHaveAttribute('data-vce-state', 'ready');
    await expect(card.locator('.jp-vce-state-words')).toHaveText('Running');
  });

  await test.step('one fact at a time', async () => {
    const { connection } = await server.service('postgres');
    // It is said for a moment only.
    const said = await vce.followText('#vce-connection-postgres');
    await card
      .getByRole('button', { name: 'Copy: Port of PostgreSQL' })
      .click();
    await expect.poll(said).toContain('Copied');
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toBe(String(connection?.port));
  });

  await test.step('by light, by dark and in high contrast, and large', async () => {
    await vce.expectAccessible('#vce-connection-postgres');
    await page.theme.setDarkTheme();
    await vce.expectAccessible('#vce-connection-postgres');
    await page.theme.setTheme('JupyterLab Dark High Contrast');
    await vce.expectAccessible('#vce-connection-postgres');
    await page.setViewportSize({ width: 640, height: 400 });
    await vce.expectAccessible('#vce-connection-postgres');
  });

  await test.step('its lines run in a new notebook', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.theme.setLightTheme();
    await card
      .getByRole('button', {
        name: 'Insert into a new notebook: Python: SQLAlchemy (PostgreSQL)'
      })
      .click();
    await expect(page.getByText('Python 3 (ipykernel) | Idle')).toBeVisible();
    await expect(page.locator('.jp-Notebook')).toContainText('sqlalchemy');
    await page.menu.clickMenuItem('Run>Run All Cells');
    await expect(
      page.locator('.jp-Notebook .jp-OutputArea-output')
    ).toContainText("('student', 'PostgreSQL");
  });

  await test.step('a second click on the tile goes to the open card', async () => {
    await vce.openLauncher();
    await vce.tile('postgres').click();
    await expect(card).toBeVisible();
    await expect(page.locator('.jp-vce-card')).toHaveCount(1);
  });
});
