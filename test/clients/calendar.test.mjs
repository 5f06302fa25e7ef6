// The calendar, read by the parser that Thunderbird and others are built on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import ICAL from 'ical.js';

const base = process.env.MARQUEE_URL;
const window = 'preset=NEXT_30_DAYS&timeZone=Europe/Madrid';

test('ical.js reads /events.ics as GraphQL has the events', async () => {
  const query = '{ events(first: 100, window: {preset: NEXT_30_DAYS, timeZone: "Europe/Madrid"}) { totalCount nodes { id title startsAt } } }';
  const [calendar, answer] = await Promise.all([
    fetch(`${base}/events.ics?${window}`).then((response) => response.text()),
    fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    }).then((response) => response.json()),
  ]);
  const parsed = new ICAL.Component(ICAL.parse(calendar));
  for (const zone of parsed.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
  const found = new Map(parsed.getAllSubcomponents('vevent').map((v) => [v.getFirstPropertyValue('uid'), new ICAL.Event(v)]));
  const { nodes, totalCount } = answer.data.events;
  assert.equal(found.size, totalCount);
  assert.ok(nodes.length > 0);
  for (const { id, title, startsAt } of nodes) {
    const event = found.get(id);
    assert.equal(event.summary, title);
    assert.equal(event.startDate.toJSDate().getTime(), Date.parse(startsAt), `${title}: ${event.startDate}`);
  }
});

test('it is asked for again by its ETag', async () => {
  const first = await fetch(`${base}/events.ics?${window}`);
  await first.arrayBuffer();
  const again = await fetch(`${base}/events.ics?${window}`, { headers: { 'if-none-match': first.headers.get('etag') } });
  // A sync may have come between: then it is another calendar, with another tag.
  assert.ok(again.status === 304 || again.headers.get('etag') !== first.headers.get('etag'));
  await again.arrayBuffer();
});
