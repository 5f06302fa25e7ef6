// Bundles GraphiQL and the REST docs into dist/, which the Go package embeds.
// Every asset is named by its content and stored gzipped, the only form kept:
// the binary carries it once, and nearly every client takes it as it is.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { gzipSync } from 'fflate';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));

const common = {
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  outdir: 'dist/assets',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  publicPath: '/assets/',
  legalComments: 'none', // licenses() collects the full texts instead
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.graphql': 'text', '.ttf': 'file' },
  jsx: 'automatic',
  logLevel: 'warning',
};

// Classic scripts, each whole: the editor starts them by their address.
const workers = await build({
  ...common,
  format: 'iife',
  entryPoints: {
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
});
const pages = await build({
  ...common,
  splitting: true,
  entryPoints: ['src/graphiql.jsx', 'src/docs.js'],
  define: {
    ...common.define,
    WORKERS: JSON.stringify({
      editor: address(workers, 'editor.worker'),
      json: address(workers, 'json.worker'),
      graphql: address(workers, 'graphql.worker'),
    }),
  },
});

await empty('dist');
await mkdir('dist/assets');
const linked = ['graphiql', 'docs'].map((page) => path.basename(address(pages, page, '.css')));
for (const { path: file, contents } of [...workers.outputFiles, ...pages.outputFiles]) {
  const name = path.basename(file);
  // Styles of a chunk are in its page's own as well; nothing loads these.
  if (name.endsWith('.css') && !linked.includes(name)) continue;
  await writeAsset(name, contents);
}

const notice = await licenses(workers, pages);
const licensesName = `licenses-${createHash('sha256').update(notice).digest('hex').slice(0, 8)}.txt`;
await writeAsset(licensesName, notice);

for (const page of ['graphiql', 'docs']) {
  const links = {
    script: address(pages, page, '.js'),
    style: address(pages, page, '.css'),
    licenses: `/assets/${licensesName}`,
  };
  const html = await readFile(`src/${page}.html`, 'utf8');
  await writeFile(`dist/${page}.html`, html.replace(/\{\{(\w+)\}\}/g, (_, key) => links[key]));
}

/** The public address of the output that was built from the entry of that name. */
function address({ metafile }, name, extension = '.js') {
  const found = Object.keys(metafile.outputs).filter((file) => {
    const base = path.basename(file);
    return base.startsWith(`${name}-`) && base.endsWith(extension);
  });
  if (found.length !== 1) throw new Error(`${name}${extension}: ${found.length} outputs, want 1`);
  return `/assets/${path.basename(found[0])}`;
}

/** Not with node:zlib, whose output depends on the Node: the same sources give the same bytes everywhere. */
async function writeAsset(name, contents) {
  await writeFile(`dist/assets/${name}.gz`, gzipSync(Buffer.from(contents), { level: 9, mtime: 0 }));
}

/** Removes all but the placeholder that keeps the folder in the repository. */
async function empty(dir) {
  for (const name of await readdir(dir)) {
    if (name !== '.gitkeep') await rm(path.join(dir, name), { recursive: true });
  }
}

/** The licence of every package that has code in the bundles. */
async function licenses(...results) {
  const packages = new Set();
  for (const { metafile } of results) {
    for (const file of Object.keys(metafile.inputs)) {
      const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
      if (found) packages.add(found[0]);
    }
  }
  const texts = [];
  for (const dir of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(`${dir}/package.json`, 'utf8'));
    const files = (await readdir(dir)).filter((file) => /^(licen[cs]e|notice|thirdparty)/i.test(file)).sort();
    const parts = await Promise.all(files.map((file) => readFile(path.join(dir, file), 'utf8')));
    texts.push([`${name} ${version} (${license})`, ...parts].join('\n\n'));
  }
  return texts.join(`\n${'-'.repeat(78)}\n`);
}
