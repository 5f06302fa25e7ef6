// PostGraphile on Node's own server: its schema is that of the table, with a window as two conditions more, and prices with their currency.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { object } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { TYPES } from 'postgraphile/@dataplan/pg';
import { addPgTableCondition, extendSchema, jsonPgSmartTags } from 'postgraphile/utils';
import { pool, run } from './processes.js';

const table = { schemaName: 'public', tableName: 'events' };
const bound = (name, compare) =>
  addPgTableCondition(
    table,
    name,
    (build) => ({ type: build.getInputTypeByName('Datetime') }),
    (value, { sql, sqlTableAlias, sqlValueWithCodec }) => compare(sql, sql`${sqlTableAlias}.starts_at`, sqlValueWithCodec(value, TYPES.timestamptz)),
  );

// Not a parameter, for which PostgreSQL couldn't take the index of what is listed.
const listed = addPgTableCondition(
  table,
  'listed',
  (build) => ({ type: build.graphql.GraphQLBoolean }),
  (value, { sql, sqlTableAlias }) => (value ? sql`${sqlTableAlias}.listed` : sql`not ${sqlTableAlias}.listed`),
);

const price = (attribute) => ($event) => object({ amount: $event.get(attribute), currency: $event.get('currency') });

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [
    bound('from', (sql, starts, value) => sql`${starts} >= ${value}`),
    bound('to', (sql, starts, value) => sql`${starts} < ${value}`),
    listed,
    jsonPgSmartTags({
      version: 1,
      config: {
        class: {
          events: {
            attribute: {
              // Its index is of what is listed only, of which PostGraphile thinks nothing.
              starts_at: { tags: { behavior: '+orderBy' } },
              // Their names are to be those of prices.
              min_price: { tags: { name: 'min_amount' } },
              max_price: { tags: { name: 'max_amount' } },
            },
          },
        },
      },
    }),
    extendSchema({
      typeDefs: `
        type Money { amount: BigFloat currency: String }
        extend type Event { minPrice: Money maxPrice: Money }
      `,
      objects: { Event: { plans: { minPrice: price('min_price'), maxPrice: price('max_price') } } },
    }),
  ],
  // Nobody else needs its pages.
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false },
  schema: { defaultBehavior: '-insert -update -delete' },
  pgServices: [makePgService({ schemas: ['public'], poolConfig: pool, pubsub: false })],
};

await run(async ({ host, port }) => {
  const server = createServer();
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(port, host);
});
