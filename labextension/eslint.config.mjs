import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The layers, lowest first: each imports only from those before it. */
const LAYERS = [
  'tokens',
  'actions',
  'compare',
  'remembered',
  'request',
  'api',
  'model',
  'commands',
  'plugins',
  'index'
];

/** Keep files from importing what stands above them. */
function below(files, layers) {
  return {
    files: files.map(name => `src/${name}`),
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: layers.map(layer => ({
            regex: `^\\.{1,2}/${layer}(/|$)`,
            message: 'Imports run one way: see LAYERS in eslint.config.mjs.'
          }))
        }
      ]
    }
  };
}

export default defineConfig(
  globalIgnores(['coverage', 'lib', 'node_modules', '.yarn']),
  eslint.configs.recommended,
  {
    files: ['viewer/build.mjs'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly' } }
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        Headers: 'readonly',
        Request: 'readonly',
        Response: 'readonly',
        TextDecoder: 'readonly',
        TextEncoder: 'readonly',
        afterEach: 'readonly',
        beforeEach: 'readonly',
        console: 'readonly',
        expect: 'readonly',
        fetch: 'readonly',
        jest: 'readonly',
        module: 'writable',
        require: 'readonly'
      }
    }
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'viewer/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylistic],
    plugins: { 'react-hooks': reactHooks },
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.test.json', './viewer/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'react-hooks/exhaustive-deps': 'error',
      'react-hooks/rules-of-hooks': 'error',
      '@typescript-eslint/explicit-function-return-type': [
        'error',
        { allowExpressions: true }
      ],
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      // `void promise` is how JupyterLab marks a promise nobody waits for.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true }
      ],
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_' }
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      // A Lumino slot is given its `this` when it is connected.
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  ...LAYERS.map((layer, index) =>
    below(
      [`${layer}.ts`, `${layer}/**`],
      [...LAYERS.slice(index + 1), ...(index < 7 ? ['widgets'] : [])]
    )
  ),
  below(['widgets/**', 'icons.ts', 'words.ts'], LAYERS.slice(2)),
  {
    // Tests reach into the page and know what is there.
    files: ['src/__tests__/**', 'viewer/__tests__/**'],
    rules: {
      'no-restricted-imports': 'off',
      '@typescript-eslint/explicit-function-return-type': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off'
    }
  },
  prettier
);
