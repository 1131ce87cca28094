import type { TranslationBundle } from '@jupyterlab/translation';

import type { ISnippet } from '../snippets';

/** What a snippet is called. */
export function snippetTitle(
  { id }: ISnippet,
  trans: TranslationBundle
): string {
  switch (id) {
    case 'psycopg':
    case 'pymongo':
      return trans.__('Python: %1', id);
    case 'sqlalchemy':
      return trans.__('Python: %1', 'SQLAlchemy');
    case 'pandas':
    case 'mongo-pandas':
      return trans.__('A table in pandas');
    case 'sql-magic':
      return trans.__('SQL in a notebook: %1', '%sql');
    case 'psql':
      return trans.__('In a terminal: %1', 'psql');
    case 'jdbc':
      return trans.__('Java: JDBC');
    default:
      return id;
  }
}

/** What to know before it is used; empty where there is nothing. */
export function snippetNote(
  { id, needs }: ISnippet,
  trans: TranslationBundle
): string {
  if (id === 'jdbc') {
    return trans.__(
      'Java programs started in a terminal here find the password by themselves.'
    );
  }
  return needs.length > 0
    ? trans._n(
        'Needs the package %2.',
        'Needs the packages %2.',
        needs.length,
        needs.join(', ')
      )
    : '';
}
