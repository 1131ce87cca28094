/**
 * Builds the page that shows desktop programs into the Python package, apart from JupyterLab's
 * own bundle: it is loaded when such a program is opened, and by nobody else.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { rspack } from '@rspack/core';

const here = import.meta.dirname;
const out = path.join(here, '..', '..', 'ou_vce_ext', 'viewer');
const novnc = path.join(here, '..', 'node_modules', '@novnc', 'novnc');

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const stats = await new Promise((resolve, reject) => {
  rspack(
    {
      context: here,
      entry: './viewer.ts',
      mode: 'production',
      target: ['web', 'es2022'],
      // noVNC waits for the browser at its top level: that is for modules only.
      experiments: { outputModule: true },
      output: {
        path: out,
        filename: 'viewer.js',
        module: true,
        chunkFormat: 'module'
      },
      module: {
        rules: [
          {
            test: /\.ts$/,
            loader: 'builtin:swc-loader',
            type: 'javascript/auto',
            options: {
              jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }
            }
          }
        ]
      },
      resolve: {
        extensions: ['.ts', '.js'],
        alias: { novnc: path.join(novnc, 'core') }
      },
      optimization: { splitChunks: false, runtimeChunk: false },
      performance: false
    },
    (error, result) => (error ? reject(error) : resolve(result))
  );
});
if (stats.hasErrors() || stats.hasWarnings()) {
  console.error(stats.toString('errors-warnings'));
  process.exit(1);
}

await copyFile(path.join(here, 'viewer.css'), path.join(out, 'viewer.css'));

const { version } = JSON.parse(
  await readFile(path.join(novnc, 'package.json'), 'utf8')
);
const licence = await readFile(
  path.join(novnc, 'docs', 'LICENSE.MPL-2.0'),
  'utf8'
);
const pako = await readFile(
  path.join(novnc, 'vendor', 'pako', 'LICENSE'),
  'utf8'
);
await writeFile(
  path.join(out, 'novnc-licence.txt'),
  `viewer.js contains noVNC ${version}, Copyright (C) The noVNC authors, under the Mozilla Public
License 2.0, unchanged. Its source: https://github.com/novnc/noVNC/tree/v${version} and, in
readable form, the package @novnc/novnc ${version} of the npm registry.
noVNC contains pako, under the MIT licence that follows the Mozilla Public License below.

${licence}
${pako}`
);
