// The audit of GraphQL over HTTP, by those who write the specification's reference implementation: every check
// has to be passed, the merely recommended ones too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';

const url = `${process.env.MARQUEE_URL}/graphql`;
const audits = serverAudits({ url });

test('there are 61 of them', () => assert.equal(audits.length, 61));

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}
