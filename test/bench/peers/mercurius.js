// Mercurius on Fastify: a schema by hand, compiled queries, and one prepared statement that reads no more than is shown. With CACHE_SECONDS
// pages are kept for so long, whatever the database has by then.
import Fastify from 'fastify';
import mercurius from 'mercurius';
import cache from 'mercurius-cache';
import pg from 'pg';
import { pool, run } from './processes.js';

const schema = `
  scalar DateTime
  type Query { events(first: Int!, from: DateTime!, to: DateTime!): EventConnection! }
  type EventConnection { nodes: [Event!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: ID }
  type Event { id: ID! title: String! startsAt: DateTime! endsAt: DateTime minPrice: Money maxPrice: Money }
  type Money { amount: String! currency: String! }
`;

// Times stay text: a Date would be made for each, only to be written again.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.slice(0, 10)}T${text.slice(11)}:00`);

const database = new pg.Pool({ ...pool, types, options: '-c TimeZone=UTC' });
const page = {
  name: 'page',
  text: `SELECT id, title, starts_at, ends_at, min_price, max_price, currency FROM events
    WHERE listed AND starts_at >= $1 AND starts_at < $2 ORDER BY starts_at, id LIMIT $3`,
  rowMode: 'array',
};

const money = (amount, currency) => (amount === null ? null : { amount, currency });

async function events(_, { first, from, to }) {
  const { rows } = await database.query({ ...page, values: [from, to, first + 1] });
  const hasNextPage = rows.length > first;
  if (hasNextPage) rows.pop();
  const nodes = rows.map(([id, title, startsAt, endsAt, min, max, currency]) => ({
    id, title, startsAt, endsAt, minPrice: money(min, currency), maxPrice: money(max, currency),
  }));
  return { nodes, pageInfo: { hasNextPage, endCursor: nodes.at(-1)?.id } };
}

await run(async (address) => {
  const app = Fastify();
  app.register(mercurius, { schema, resolvers: { Query: { events } }, jit: 1 });
  const ttl = Number(process.env.CACHE_SECONDS ?? 0);
  if (ttl > 0) app.register(cache, { ttl, policy: { Query: { events: true } } });
  await app.listen(address);
});
