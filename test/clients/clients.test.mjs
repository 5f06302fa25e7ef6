// Clients as applications use them: each reads all events of a window by pages, and has to have the same ones.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core/index.js';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries/index.js';
import { relayStylePagination } from '@apollo/client/utilities/index.js';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { ClientError, GraphQLClient } from 'graphql-request';

const url = `${process.env.MARQUEE_URL}/graphql`;
const document = `
  query Month($first: Int!, $after: String) {
    events(first: $first, after: $after, window: {preset: NEXT_30_DAYS, timeZone: "Europe/Madrid"}) {
      edges { cursor node { id title startsAt minPrice { amount currency } } }
      pageInfo { hasNextPage endCursor }
      totalCount
    }
  }`;
const pageSize = 7;
let expected; // ids, in order
let total;

before(async () => {
  const client = new GraphQLClient(url);
  const { events } = await client.request(document, { first: 100 });
  expected = events.edges.map(({ node }) => node.id).slice(0, 3 * pageSize);
  total = events.totalCount;
  assert.equal(expected.length, 3 * pageSize, 'the demo provider has too few events for three pages');
});

test('Apollo Client merges pages by relayStylePagination', async () => {
  const client = new ApolloClient({
    link: new HttpLink({ uri: url }),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { events: relayStylePagination(['window', 'where', 'orderBy']) } } } }),
  });
  const watched = client.watchQuery({ query: gql(document), variables: { first: pageSize } });
  const subscription = watched.subscribe(() => {});
  let { data } = await client.query({ query: gql(document), variables: { first: pageSize } });
  for (let page = 1; page < 3; page++) {
    await watched.fetchMore({ variables: { first: pageSize, after: data.events.pageInfo.endCursor } });
    data = client.readQuery({ query: gql(document), variables: { first: pageSize } });
  }
  subscription.unsubscribe();
  assert.deepEqual(data.events.edges.map(({ node }) => node.id), expected);
  assert.equal(data.events.totalCount, total);
  // The merged list is of entities: one is found in the cache by its id.
  assert.ok(client.cache.extract()[`Event:${expected[0]}`]);
  client.stop();
});

test('urql reads page by page, then from its cache', async () => {
  const client = new Client({ url, exchanges: [cacheExchange, fetchExchange] });
  const ids = [];
  let after = null;
  for (let page = 0; page < 3; page++) {
    const { data, error } = await client.query(document, { first: pageSize, after }).toPromise();
    assert.equal(error, undefined);
    ids.push(...data.events.edges.map(({ node }) => node.id));
    after = data.events.pageInfo.endCursor;
  }
  assert.deepEqual(ids, expected);
  const again = await client.query(document, { first: pageSize, after: null }, { requestPolicy: 'cache-only' }).toPromise();
  assert.equal(again.data.events.edges[0].node.id, expected[0]);
});

test('urql asks by GET where it is told to', async () => {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: 'force' });
  const { data, error } = await client.query('query Ask { providers { slug } }', {}).toPromise();
  assert.equal(error, undefined);
  assert.deepEqual(data.providers.map(({ slug }) => slug), ['demo']);
});

test('Apollo Client sends a hash in place of a query that is known', async () => {
  const sent = [];
  const hashed = () => new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex'), useGETForHashedQueries: true });
  const http = new HttpLink({ uri: url, fetch: (address, options) => { sent.push({ address, body: options.body }); return fetch(address, options); } });
  for (let i = 0; i < 2; i++) { // the second client knows nothing of the first
    const client = new ApolloClient({ link: ApolloLink.from([hashed(), http]), cache: new InMemoryCache() });
    const { data } = await client.query({ query: gql`query Persisted { providers { slug name } }` });
    assert.equal(data.providers[0].slug, 'demo');
  }
  assert.equal(sent.length, 3, 'a hash, the text with it, and the hash again');
  assert.ok(!sent[2].address.includes('query=') && sent[2].body === undefined, 'the text was sent again');
});

test('graphql-request has the code and the argument of an error', async () => {
  const client = new GraphQLClient(url);
  await assert.rejects(client.request(document, { first: 1000 }), (error) => {
    assert.ok(error instanceof ClientError);
    const [{ extensions }] = error.response.errors;
    assert.deepEqual([extensions.code, extensions.argument], ['BAD_USER_INPUT', 'first']);
    return true;
  });
});
