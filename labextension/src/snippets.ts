import data from './snippets.json';
import type { IConnection, IService } from './tokens';

/** A few lines that reach a database, ready to be run. */
export interface ISnippet {
  /** Such as `psycopg`; what it is called is in `snippetTitle`. */
  readonly id: string;
  /** `python` is for a cell of a notebook, `shell` for a terminal, `text` for another program. */
  readonly language: string;
  /** Names on PyPI of what has to be installed, besides what comes with us. */
  readonly needs: readonly string[];
  readonly code: string;
}

/** How the connection is written: left to the environment, with a password file, or without. */
type Form = 'lent' | 'named' | 'open';

interface IKind {
  readonly forms: Readonly<Record<Form, Readonly<Record<string, string>>>>;
  readonly snippets: readonly ISnippet[];
}

const KINDS: Readonly<Record<string, IKind>> = data;

/**
 * The snippets for a database, as it is reached from here.
 *
 * Where two services lend variables of the same names to kernels, the one declared last has them,
 * and the snippets of the other name its address.
 */
export function snippetsOf(
  service: IService,
  all: readonly IService[]
): ISnippet[] {
  const { connection } = service;
  const kind = KINDS[service.kind];
  if (!connection || !kind) {
    return [];
  }
  const form = kind.forms[formOf(service, connection, all)];
  const values = { ...form, ...facts(connection) };
  return kind.snippets.map(snippet => ({
    ...snippet,
    // Twice: what the form puts in has its own places to fill.
    code: filled(filled(snippet.code, values), values)
  }));
}

function formOf(
  service: IService,
  { env, password_file }: IConnection,
  all: readonly IService[]
): Form {
  const lenders = all.filter(one =>
    one.connection?.env.some(name => env.includes(name))
  );
  if (env.length > 0 && lenders.at(-1)?.name === service.name) {
    return 'lent';
  }
  return password_file === null ? 'open' : 'named';
}

function facts(connection: IConnection): Record<string, string> {
  const { host, port, user, database, password_file } = connection;
  return {
    host: host ?? 'localhost',
    port: String(port ?? ''),
    user: user ?? '',
    database: database ?? '',
    password_file: password_file ?? ''
  };
}

/** Replace `{name}` where it is known; other braces belong to the code. */
function filled(
  text: string,
  values: Readonly<Record<string, string>>
): string {
  return text.replace(/\{([a-z_]+)\}/g, (all, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : all
  );
}
