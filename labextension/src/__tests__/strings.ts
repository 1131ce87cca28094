import * as fs from 'fs';
import * as path from 'path';
import * as ts from 'typescript';

const SOURCES = path.resolve(__dirname, '..');
const SCHEMAS = path.resolve(__dirname, '..', '..', 'schema');

/** The catalogue in which a language has our strings. */
export const CATALOGUE = path.resolve(
  SOURCES,
  '../../ou_vce_ext/locale/fr_FR/LC_MESSAGES/ou_vce_ext.json'
);

/** A string that a person may read: its key in a catalogue, and how many forms it has there. */
export type Strings = Map<string, number>;

/** How many arguments of each method say what is to be translated: context, singular, plural. */
const METHODS: Readonly<Record<string, { context: boolean; forms: number }>> = {
  __: { context: false, forms: 1 },
  _n: { context: false, forms: 2 },
  _p: { context: true, forms: 1 },
  _np: { context: true, forms: 2 }
};

/** Every string of the sources and of the settings, by its key. */
export function allStrings(): Strings {
  const found: Strings = new Map();
  const files = fs.readdirSync(SOURCES, { recursive: true }) as string[];
  files
    .filter(file => /\.tsx?$/.test(file) && !file.startsWith('__tests__'))
    .forEach(file => fromSource(path.join(SOURCES, file), found));
  fs.readdirSync(SCHEMAS).forEach(file => {
    const text = fs.readFileSync(path.join(SCHEMAS, file), 'utf8');
    for (const key of schemaStrings(JSON.parse(text) as ISchema)) {
      found.set(key, 1);
    }
  });
  return found;
}

function fromSource(file: string, found: Strings): void {
  const text = fs.readFileSync(file, 'utf8');
  const source = ts.createSourceFile(
    file,
    text,
    ts.ScriptTarget.ES2022,
    true,
    file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS
  );
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      /trans$/.test(node.expression.expression.getText())
    ) {
      const method = METHODS[node.expression.name.text];
      if (method) {
        add(node, method, found);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function add(
  call: ts.CallExpression,
  { context, forms }: { context: boolean; forms: number },
  found: Strings
): void {
  const said = call.arguments
    .slice(0, forms + (context ? 1 : 0))
    .map(argument => {
      if (!ts.isStringLiteralLike(argument)) {
        return null;
      }
      return argument.text;
    });
  if (said.every(one => one !== null)) {
    found.set(said.slice(0, context ? 2 : 1).join('\u0004'), forms);
    return;
  }
  const file = call.getSourceFile().fileName;
  // What comes from the schema is not written in the sources; all else has to be.
  if (!file.endsWith('settingsWords.ts')) {
    throw new Error(`${file}: not a plain string: ${call.getText()}`);
  }
}

interface ISchema {
  readonly title: string;
  readonly description: string;
  readonly properties: Readonly<
    Record<
      string,
      {
        readonly title: string;
        readonly description: string;
        readonly items?: { readonly title: string };
      }
    >
  >;
}

function schemaStrings({ title, description, properties }: ISchema): string[] {
  return [
    ...[title, description].map(text => `schema\u0004${text}`),
    ...Object.values(properties).flatMap(({ title, description, items }) =>
      [title, description, ...(items ? [items.title] : [])].map(
        text => `settings\u0004${text}`
      )
    )
  ];
}
