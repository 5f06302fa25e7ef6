// Looks at the pages of a running Marquee in a real browser.
//
//   MARQUEE_URL    its base address, such as http://127.0.0.1:8080; required
//   CHROMIUM_PATH  the browser; /usr/bin/chromium by default
//   ARTIFACTS      where the screenshots go; a temporary folder by default
import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

// 1.61 is the last for Node 18, which Debian 12 has.
import { chromium } from 'playwright-core';

const { MARQUEE_URL, CHROMIUM_PATH = '/usr/bin/chromium', ARTIFACTS } = process.env;
const tabs = ['Tomorrow', 'ThisWeekend', 'CheapestUnder20', 'SeriesWithItsDates', 'WhatChanged', 'Live', 'ProviderRuns'];

let browser;
let artifacts;

before(async () => {
  assert.ok(MARQUEE_URL, 'MARQUEE_URL is not set: start Marquee and give its address, such as http://127.0.0.1:8080');
  artifacts = ARTIFACTS ?? (await mkdtemp(path.join(tmpdir(), 'marquee-web-')));
  await mkdir(artifacts, { recursive: true });
  browser = await chromium.launch({
    executablePath: CHROMIUM_PATH,
    headless: true,
    // Chromium's sandbox refuses to run as root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});

after(() => browser?.close());

/** A first visitor's page, and all that went wrong on it. */
async function visit(t, pathname, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 820 }, ...options });
  t.after(() => context.close());
  const problems = [];
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  // A policy violation of the page is an error on the console, of a worker too.
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error}`));
  page.on('requestfailed', (request) => {
    problems.push(`failed: ${request.url()}: ${request.failure()?.errorText}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.url()}`);
  });
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== new URL(MARQUEE_URL).origin) problems.push(`foreign: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} blocked ${event.blockedURI}`);
    });
  });
  const response = await page.goto(new URL(pathname, MARQUEE_URL).href);
  assert.equal(response.status(), 200);
  assert.match(response.headers()['content-security-policy'], /default-src 'none'/);
  return { page, problems };
}

const screenshot = (page, name) => page.screenshot({ path: path.join(artifacts, `${name}.png`) });

/** Waits until one of the page's editors shows the text, which is on one of its lines. */
const shows = (page, editor, text) => page.locator(`${editor} .view-line`).filter({ hasText: text }).first().waitFor();

/** Waits until it is so, for 20 s. */
async function until(isSo) {
  for (let i = 0; i < 400 && !isSo(); i++) await new Promise((resolve) => { setTimeout(resolve, 50); });
  assert.ok(isSo(), `not within 20 s: ${isSo}`);
}

/** Runs the active tab and returns the whole answer, of which the editor shows a part. */
async function execute(page) {
  const [response] = await Promise.all([
    page.waitForResponse((answer) => new URL(answer.url()).pathname === '/graphql'),
    page.getByRole('button', { name: /^Execute query/ }).click(),
  ]);
  const answer = await response.json();
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer;
}

for (const colorScheme of ['light', 'dark']) {
  test(`GraphiQL runs the first example, ${colorScheme}`, async (t) => {
    const { page, problems } = await visit(t, '/graphiql', { colorScheme });
    assert.match(await page.title(), /Marquee/);
    await shows(page, '.graphiql-query-editor', 'TOMORROW');
    assert.deepEqual(await page.getByRole('tab').allInnerTexts(), tabs);

    await execute(page);
    await shows(page, '.result-window', '"title"');
    await screenshot(page, `graphiql-${colorScheme}`);
    assert.deepEqual(problems, []);
  });
}

test('GraphiQL runs every example as it is', async (t) => {
  const { page, problems } = await visit(t, '/graphiql');
  for (const name of tabs.filter((tab) => tab !== 'Live')) {
    await page.getByRole('tab', { name }).click();
    await shows(page, '.graphiql-query-editor', `query ${name}`);
    // GraphiQL reads the operation's name a moment after the switch, when it stores the text.
    await page.waitForFunction((text) => localStorage.getItem('graphiql:query')?.includes(text), `query ${name}`);
    const { data } = await execute(page);
    assert.ok((data.events ?? data.changes).nodes.length > 0, `${name} found nothing`);
    await shows(page, '.result-window', '"nodes"');
    await screenshot(page, `example-${name}`);
  }
  assert.deepEqual(problems, []);
});

test('GraphiQL subscribes by a WebSocket', async (t) => {
  const { page, problems } = await visit(t, '/graphiql');
  await page.getByRole('tab', { name: 'Live' }).click();
  await shows(page, '.graphiql-query-editor', 'subscription Live');
  await page.waitForFunction(() => localStorage.getItem('graphiql:query')?.includes('subscription Live'));
  const sent = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(JSON.parse(payload).type)));
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await until(() => sent.includes('subscribe'));
  await page.getByRole('button', { name: /^Stop query/ }).click();
  await until(() => sent.includes('complete'));
  await screenshot(page, 'graphiql-live');
  assert.deepEqual(problems, []);
});

test('GraphiQL knows the schema: completion, validation, documentation', async (t) => {
  const { page, problems } = await visit(t, '/graphiql');
  const editor = page.locator('.graphiql-query-editor');
  await shows(page, '.graphiql-query-editor', 'TOMORROW');
  await page.getByRole('button', { name: /documentation explorer/i }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().click();
  await page.locator('.graphiql-doc-explorer').getByText('events', { exact: true }).first().waitFor();

  await editor.locator('.view-lines').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{ noSuchField ev');
  await editor.locator('.squiggly-error').first().waitFor();
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget').getByText('events', { exact: true }).first().waitFor();
  await screenshot(page, 'graphiql-schema');
  assert.deepEqual(problems, []);
});

for (const colorScheme of ['light', 'dark']) {
  test(`the REST docs show the search, ${colorScheme}`, async (t) => {
    const { page, problems } = await visit(t, '/docs', { colorScheme });
    await page.locator('.opblock-summary-path').getByText('/search', { exact: true }).waitFor();
    await screenshot(page, `docs-${colorScheme}`);
    assert.deepEqual(problems, []);
  });

  test(`the landing page leads on, ${colorScheme}`, async (t) => {
    const { page, problems } = await visit(t, '/', { colorScheme, javaScriptEnabled: false });
    await screenshot(page, `landing-${colorScheme}`);
    for (const href of ['/graphiql', '/docs', '/schema.graphql', '/openapi.json']) {
      assert.equal((await page.request.get(new URL(href, MARQUEE_URL).href)).status(), 200, href);
      assert.equal(await page.locator(`a[href="${href}"]`).count(), 1, href);
    }
    await page.getByRole('button', { name: 'Search' }).click();
    await page.waitForURL(/\/search\?starts_at=\d{4}-\d\d-\d\d&ends_at=\d{4}-\d\d-\d\d$/);
    assert.deepEqual(problems, []);
  });
}
