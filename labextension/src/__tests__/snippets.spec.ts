import { nullTranslator } from '@jupyterlab/translation';

import { snippetsOf } from '../snippets';
import { snippetNote, snippetTitle } from '../widgets/snippetWords';
import { database, service } from './fixtures';

const trans = nullTranslator.load('ou_vce_ext');

const mongo = service({
  name: 'mongo',
  kind: 'mongo',
  connection: {
    host: '127.0.0.1',
    port: 27017,
    socket: null,
    user: null,
    database: 'student',
    password_file: null,
    env: []
  }
});

const code = (snippets: ReturnType<typeof snippetsOf>, id: string) =>
  snippets.find(snippet => snippet.id === id)?.code;

describe('snippetsOf', () => {
  it('leaves the address to the environment where it is there', () => {
    const found = snippetsOf(database(), [database()]);
    expect(code(found, 'psycopg')).toContain('psycopg.connect()');
    expect(code(found, 'psql')).toBe('psql');
    expect(code(found, 'jdbc')).toBe(
      'jdbc:postgresql://127.0.0.1:43211/student?user=student'
    );
  });

  it('names the address where another service has the environment', () => {
    const second = database({ name: 'second' });
    const found = snippetsOf(database(), [database(), second]);
    expect(code(found, 'psql')).toBe(
      'psql "host=127.0.0.1 port=43211 user=student dbname=student passfile=/home/jo/pgpass"'
    );
    expect(code(snippetsOf(second, [database(), second]), 'psql')).toBe('psql');
  });

  it('does without a password where there is none', () => {
    expect(code(snippetsOf(mongo, [mongo]), 'pymongo')).toContain(
      'MongoClient("127.0.0.1", 27017, directConnection=True)'
    );
  });

  it('leaves no place unfilled, and every snippet has a name', () => {
    for (const one of [database(), database({ connection: null }), mongo]) {
      for (const all of [[one], [one, database({ name: 'other' })]]) {
        for (const snippet of snippetsOf(one, all)) {
          expect(snippet.code).not.toMatch(/\{[a-z_]+\}/);
          expect(snippetTitle(snippet, trans)).not.toBe(snippet.id);
          expect(snippetNote(snippet, trans)).toBeDefined();
        }
      }
    }
    expect(snippetsOf(service(), [service()])).toEqual([]);
  });
});
