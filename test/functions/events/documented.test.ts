import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventSchemas, eventsJsonSchema } from '../../../functions/events/events.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../../world/policy.ts';

test('docs/events.schema.json is the schema that every published event is type-checked against', () => {
  expect(JSON.parse(readFileSync('docs/events.schema.json', 'utf8'))).toEqual(eventsJsonSchema());
});

test('docs/events.md speaks of every event', () => {
  const page = readFileSync('docs/events.md', 'utf8');
  for (const type of Object.keys(eventSchemas)) expect(page).toContain(`| \`${type}\` |`);
});

/** As EventBridge does for the patterns here: every field that is named has one of the values. */
const matches = (pattern: object, event: object): boolean =>
  Object.entries(pattern).every(([key, wanted]) => {
    const found: unknown = Reflect.get(event, key);
    if (Array.isArray(wanted)) return wanted.includes(found);
    return typeof found === 'object' && found !== null && matches(wanted, found);
  });

/** The event patterns of the example and of the page, for the owner `prod` and the token `telegraf`. */
function patterns() {
  const text = readFileSync('examples/restart-on-rotation/template.yaml', 'utf8');
  const { Resources } = parse(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
    text.replaceAll('${Owner}', 'prod').replaceAll('${Token}', 'telegraf'),
    { logLevel: 'error' },
  );
  const { EventBusName, EventPattern } = Resources.Moved.Properties;
  // Secrets Manager knows no other bus.
  expect(EventBusName).toBeUndefined();
  const page = readFileSync('docs/events.md', 'utf8');
  const onPage = [...page.matchAll(/```json\n([^`]*)```/g)].map(([, json = '']) =>
    JSON.parse(json),
  );
  expect(onPage).toHaveLength(1);
  return [EventPattern, ...onPage];
}

test('a consumer restarts on the example though no event of ours comes through in the minute of the rotation', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  const before = world.aws.state.events.length;
  const old = world.string(TELEGRAF);
  world.aws.intercept = ({ server }, effect) =>
    Promise.resolve(server === 'events' ? { status: 500, body: '{}' } : effect());
  await world.rotate({ tokens: ['telegraf'], force: true });
  const came = world.aws.state.events.slice(before).map(({ source, detailType, detail }) => ({
    source,
    'detail-type': detailType,
    detail,
  }));
  expect(world.metrics().at(-1)).toHaveProperty(['Owner=prod LostEvents']);
  expect(came.filter(({ source }) => source === 'keyturn')).toEqual([]);
  for (const pattern of patterns()) {
    const restarts = came.filter((event) => matches(pattern, event));
    expect(restarts).toMatchObject([{ detail: { versionId: world.labels(TELEGRAF).AWSCURRENT } }]);
  }
  // What the restarted consumer reads is the new string, and it works.
  expect(world.string(TELEGRAF)).not.toBe(old);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a rule hears the deployment of its owner alone, whose events share the bus with another', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const other = world.deploy({ ...policyWith({ telegraf: writer }), owner: 'south' });
  await world.rotate();
  await other.rotate();
  const owners = world
    .events('Token Rotated')
    .map(({ detail }) => Reflect.get(detail as object, 'owner'));
  expect(owners).toEqual(['prod', 'south']);
});

test('what a restart hangs on is the event that Secrets Manager sends when AWSCURRENT moves, and no other', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.rotate({ tokens: ['telegraf'], force: true });
  const events = world.aws.state.events.map(({ source, detailType, detail }) => ({
    source,
    'detail-type': detailType,
    detail,
  }));
  expect(events.map((event) => event['detail-type'])).toContain('Token Rotated');
  const moved = { name: TELEGRAF, labelUpdated: 'AWSCURRENT' };
  const held = { name: TELEGRAF, labelUpdated: 'keyturn-hold-freeze' };
  events.push({
    source: 'aws.secretsmanager',
    'detail-type': 'Secret Label Updated',
    detail: held,
  });
  for (const pattern of patterns()) {
    expect(events.filter((event) => matches(pattern, event))).toMatchObject([
      { source: 'aws.secretsmanager', detail: moved },
      {
        source: 'aws.secretsmanager',
        detail: { ...moved, versionId: world.labels(TELEGRAF).AWSCURRENT },
      },
    ]);
  }
});
