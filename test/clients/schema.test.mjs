// The schema as tools read it: compilers, a type generator, a linter, and a guard against breaking changes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import eslintPlugin from '@graphql-eslint/eslint-plugin';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { ESLint } from 'eslint';
import { buildSchema, parse } from 'graphql';
import relay from 'relay-compiler';

const run = promisify(execFile);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const operations = path.join(here, 'src', 'operations.graphql');
let sdl;

before(async () => {
  const response = await fetch(`${process.env.MARQUEE_URL}/schema.graphql`);
  assert.equal(response.status, 200);
  sdl = await response.text();
});

/** A folder of its own, with the packages in reach. */
async function folder(t) {
  const made = await mkdtemp(path.join(tmpdir(), 'marquee-clients-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  await symlink(path.join(here, 'node_modules'), path.join(made, 'node_modules'));
  await writeFile(path.join(made, 'schema.graphql'), sdl);
  return made;
}

test('nothing that clients rely on has gone since the last release', async () => {
  // After a release: cp graph/testdata/schema.graphql test/clients/released.graphql
  const released = buildSchema(await readFile(path.join(here, 'released.graphql'), 'utf8'));
  const changes = await diff(released, buildSchema(sdl));
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  assert.deepEqual(breaking.map(({ message }) => message), []);
});

test("Relay's compiler takes schema, connection and fragment", async (t) => {
  const cwd = await folder(t);
  await cp(path.join(here, 'src', 'EventList.js'), path.join(cwd, 'src', 'EventList.js'));
  const config = { src: './src', schema: './schema.graphql', language: 'javascript', eagerEsModules: true };
  await writeFile(path.join(cwd, 'relay.config.json'), JSON.stringify(config));
  await run(relay, ['relay.config.json'], { cwd });
  const artifacts = await readdir(path.join(cwd, 'src', '__generated__'));
  assert.deepEqual(artifacts.sort(), ['EventListPaginationQuery.graphql.js', 'EventListQuery.graphql.js', 'EventList_events.graphql.js']);
});

test('graphql-codegen writes TypeScript that type-checks', async (t) => {
  const cwd = await folder(t);
  const document = await readFile(operations, 'utf8');
  const scalars = {
    DateTime: 'string', LocalDateTime: 'string', DateOrDateTime: 'string', TimeZone: 'string', Decimal: 'string', JSON: 'unknown',
  };
  const output = await codegen({
    filename: 'generated.ts',
    schema: parse(sdl),
    documents: [{ location: operations, document: parse(document) }],
    config: { scalars, strictScalars: true, useTypeImports: true },
    plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
    pluginMap: { typescriptOperations, typedDocumentNode },
  });
  await writeFile(path.join(cwd, 'generated.ts'), output);
  await cp(path.join(here, 'src', 'weekend.ts'), path.join(cwd, 'weekend.ts'));
  const compiler = path.join(here, 'node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', 'weekend.ts'];
  await run(process.execPath, [compiler, ...flags], { cwd }).catch(({ stdout }) => assert.fail(stdout));
});

test('graphql-eslint finds nothing in the schema', async () => {
  const eslint = new ESLint({
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.graphql'],
        languageOptions: { parser: eslintPlugin.parser, parserOptions: { graphQLConfig: { schema: sdl } } },
        plugins: { '@graphql-eslint': eslintPlugin },
        rules: {
          ...eslintPlugin.configs['flat/schema-recommended'].rules,
          ...eslintPlugin.configs['flat/schema-relay'].rules,
          ...exceptions,
        },
      },
    ],
  });
  const results = await eslint.lintText(sdl, { filePath: path.join(here, 'schema.graphql') });
  const found = results.flatMap(({ messages }) => messages.map((m) => `${m.line}: ${m.ruleId}: ${m.message}`));
  assert.deepEqual(found, []);
});

/** Rules that don't fit, each with its reason. */
const exceptions = {
  // Values have no identity; what has one implements Node, which has the id.
  '@graphql-eslint/strict-id-in-types': 'off',
  // `nodes` beside `edges`, and lists that aren't pages, are what clients ask for; a change is told of, not asked for again.
  '@graphql-eslint/relay-edge-types': [
    'error',
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],
  // Logs go one way: newest first.
  '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
};
