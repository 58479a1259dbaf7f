import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventSchemas, eventsJsonSchema } from '../../../functions/events/events.ts';
import { secretPrefix } from '../../../functions/policy/policy.ts';

test('docs/events.schema.json is the schema that every published event is type-checked against', () => {
  expect(JSON.parse(readFileSync('docs/events.schema.json', 'utf8'))).toEqual(eventsJsonSchema());
});

test('docs/events.md speaks of every event', () => {
  const page = readFileSync('docs/events.md', 'utf8');
  for (const type of Object.keys(eventSchemas)) expect(page).toContain(`| \`${type}\` |`);
});

test('the example listens to a rotation as it is published', () => {
  const text = readFileSync('examples/restart-on-rotation/template.yaml', 'utf8');
  const { Resources } = parse(text, { logLevel: 'error' });
  expect(Resources.Rotated.Properties.EventPattern).toEqual({
    source: ['keyturn'],
    'detail-type': ['Token Rotated'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
    detail: { secret: [`${secretPrefix('${Owner}')}\${Token}`] },
  });
  expect(Object.keys(eventSchemas)).toContain('Token Rotated');
});
