// Bundles GraphiQL into catalog/web/static/graphiql: what the package serves, with no address outside and no source maps.
import { readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, '../catalog/web/static/graphiql');
const common = { absWorkingDir: here, bundle: true, minify: true, metafile: true, legalComments: 'none', logLevel: 'warning', target: 'es2022' };

const page = {
  entryPoints: { explorer: 'src/explorer.jsx' },
  format: 'esm',
  splitting: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'file', '.woff2': 'file' },
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
};
const workers = {
  entryPoints: {
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
  format: 'iife',
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const inputs = new Set();
for (const part of [page, workers]) {
  const result = await build({ ...common, ...part, outdir: out });
  Object.keys(result.metafile.inputs).forEach((file) => inputs.add(file));
}
// esbuild repeats the styles of what loads later in explorer.css, so these files would never be asked for.
readdirSync(out).filter((file) => /^chunk-.*\.css$/.test(file)).forEach((file) => rmSync(join(out, file)));
writeFileSync(join(out, 'LICENSES.txt'), licenses(inputs));

/** The licence text of every package that has a file in the bundle, one after the other. */
function licenses(files) {
  const packages = new Set([...files].map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]).filter(Boolean));
  return [...packages].sort().map(license).join('\n');
}

function license(name) {
  const directory = join(here, 'node_modules', name);
  const { version, license: spdx } = JSON.parse(readFileSync(join(directory, 'package.json')));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(directory, file), 'utf8').trim() : '(no licence file in the package)';
  return `${'='.repeat(80)}\n${name} ${version} (${spdx})\n${'='.repeat(80)}\n${text}\n`;
}
