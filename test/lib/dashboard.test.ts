import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTIONS_METRIC, METRICS } from '../../functions/environment.ts';
import { synthesize } from './synthesize.ts';

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly width: number;
  readonly properties: {
    readonly title: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

let folder: string;
let widgets: readonly Widget[];
let alarms: readonly string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  const template = synthesize(folder);
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const parts: unknown[] = dashboard?.Properties.DashboardBody['Fn::Join'][1];
  const body = parts.map((part) => (typeof part === 'string' ? part : idOf(part))).join('');
  widgets = JSON.parse(body).widgets;
  alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function idOf(part: unknown): string {
  const { Ref, 'Fn::GetAtt': attribute } = part as Record<string, unknown>;
  return Array.isArray(attribute) ? attribute[0] : String(Ref);
}

test('shows every alarm first, and then runway, runs, refusals, drift and actions', () => {
  expect(widgets.map(({ properties }) => properties.title)).toEqual([
    'Alarms',
    'Now',
    'Runway: days until the first current token expires',
    'Age: days of the oldest current token',
    'Runs in an hour',
    'Runs that failed',
    'Mended outages, refused plans, failed actions, unconfirmed revocations, lost events',
    'Databases that differ from their rules',
    'Actions applied, by kind',
  ]);
  expect([...(widgets[0]?.properties.alarms ?? [])].sort()).toEqual([...alarms].sort());
  expect(widgets.every(({ x, width }) => x + width <= 24)).toBe(true);
});

test('shows everything that runs measure, of its own deployment alone', () => {
  const text = JSON.stringify(widgets.map(({ properties }) => properties.metrics));
  for (const { name } of [...Object.values(METRICS), ACTIONS_METRIC]) expect(text).toContain(name);
  const own = widgets.flatMap(({ properties }) =>
    (properties.metrics ?? []).filter(([namespace]) => namespace === 'Keyturn'),
  );
  for (const [, , ...rest] of own) expect(rest.slice(0, 2)).toEqual(['Owner', 'prod']);
});
