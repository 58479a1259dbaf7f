import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventSchemas, eventsJsonSchema } from '../../../functions/model/event.ts';

test('docs/events.schema.json is the schema that every published event is type-checked against', () => {
  expect(JSON.parse(readFileSync('docs/events.schema.json', 'utf8'))).toEqual(eventsJsonSchema());
});

test('docs/events.md speaks of every event', () => {
  const page = readFileSync('docs/events.md', 'utf8');
  for (const type of Object.keys(eventSchemas)) expect(page).toContain(`| \`${type}\` |`);
});
