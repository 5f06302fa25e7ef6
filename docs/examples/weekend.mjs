// What is on in a zone this weekend, page by page: node docs/examples/weekend.mjs [address] [zone]
// It needs Node.js 18 or later and nothing else.
const [address = 'http://127.0.0.1:8080', timeZone = 'Europe/Madrid'] = process.argv.slice(2);

const query = `query Weekend($timeZone: TimeZone!, $after: String) {
  events(first: 10, after: $after, window: {preset: THIS_WEEKEND, timeZone: $timeZone}) {
    nodes { title startsLocal availability minPrice { amount currency } }
    pageInfo { hasNextPage endCursor }
  }
}`;

async function page(after) {
  const response = await fetch(new URL('/graphql', address), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { timeZone, after } }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors.map(({ message }) => message).join('; '));
  return data.events;
}

let after;
do {
  const { nodes, pageInfo } = await page(after);
  for (const { title, startsLocal, availability, minPrice } of nodes) {
    const price = minPrice ? `from ${minPrice.amount} ${minPrice.currency}` : '';
    console.log(startsLocal.replace('T', ' ').slice(0, 16), title, price, availability === 'SOLD_OUT' ? '(sold out)' : '');
  }
  after = pageInfo.hasNextPage ? pageInfo.endCursor : undefined;
} while (after);
