/** JupyterLab, Lumino and noVNC ship ES modules, which jest reads as CommonJS. */
const modules = [
  '@jupyter',
  '@jupyterlab',
  '@lumino',
  '@microsoft',
  '@novnc',
  '@rjsf',
  'exenv-es6',
  'lib0',
  'nanoid',
  'y-protocols',
  'yjs'
].join('|');

module.exports = {
  testEnvironment: '<rootDir>/jest/environment.cjs',
  roots: ['<rootDir>/src', '<rootDir>/viewer'],
  testMatch: ['**/__tests__/**/*.spec.ts', '**/__tests__/**/*.spec.tsx'],
  moduleFileExtensions: ['ts', 'tsx', 'js', 'json'],
  moduleNameMapper: {
    '\\.css$': '<rootDir>/jest/empty.cjs',
    '^novnc/(.*)$': '<rootDir>/node_modules/@novnc/novnc/core/$1'
  },
  setupFilesAfterEnv: ['<rootDir>/jest/console.cjs'],
  transform: {
    '\\.svg$': '<rootDir>/jest/raw.cjs',
    'novnc/core/util/browser\\.js$': '<rootDir>/jest/novnc.cjs',
    '\\.[jt]sx?$': [
      'ts-jest',
      {
        // Types are checked by `types:check`, once and for all files.
        diagnostics: false,
        tsconfig: {
          allowJs: true,
          esModuleInterop: true,
          isolatedModules: true,
          jsx: 'react',
          module: 'commonjs',
          moduleResolution: 'node',
          target: 'ES2022',
          useDefineForClassFields: false
        }
      }
    ]
  },
  transformIgnorePatterns: [`/node_modules/(?!(${modules})/)`]
};
