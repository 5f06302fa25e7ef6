// Subscriptions by the two clients that applications have for them. A cursor from the beginning brings what was missed since:
// the same changes, in the same order, as by pages.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createClient as createSocketClient } from 'graphql-ws';
import { createClient as createEventClient } from 'graphql-sse';
import { GraphQLClient } from 'graphql-request';
import WebSocket from 'ws';

const url = `${process.env.MARQUEE_URL}/graphql`;
const query = `
  subscription Changes($after: String, $where: ChangeFilter) {
    changes(after: $after, where: $where) { cursor kind event { id title provider { slug } } transition }
  }`;
const many = 50;
let start;
let expected;

before(async () => {
  const page = `query ($first: Int, $after: String) { changes(first: $first, after: $after) {
    nodes { cursor kind event { id title provider { slug } } transition } } }`;
  const client = new GraphQLClient(url);
  const first = await client.request(page, { first: 1 });
  start = first.changes.nodes[0].cursor;
  expected = (await client.request(page, { first: many, after: start })).changes.nodes;
  assert.equal(expected.length, many);
});

const clients = {
  'graphql-ws': () => createSocketClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 }),
  'graphql-sse': () => createEventClient({ url, retryAttempts: 0 }),
};

for (const [name, create] of Object.entries(clients)) {
  test(`${name} is given what it missed`, async () => {
    const client = create();
    const got = [];
    for await (const result of client.iterate({ query, variables: { after: start } })) {
      assert.equal(result.errors, undefined);
      got.push(result.data.changes);
      if (got.length === many) break;
    }
    assert.deepEqual(got, expected);
    await client.dispose();
  });

  test(`${name} is told of a window`, async () => {
    const client = create();
    const where = { window: { from: '2000-01-01', to: '2100-01-01' }, kinds: ['ADDED'] };
    for await (const { data } of client.iterate({ query, variables: { after: start, where } })) {
      assert.equal(data.changes.transition, 'ENTERED');
      break;
    }
    await client.dispose();
  });

  test(`${name} is told why a cursor is none`, async () => {
    const client = create();
    let errors;
    try {
      for await (const result of client.iterate({ query, variables: { after: 'junk' } })) ({ errors } = result);
    } catch (thrown) {
      errors = thrown;
    }
    assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT');
    assert.equal(errors[0].extensions.argument, 'after');
    await client.dispose();
  });
}
