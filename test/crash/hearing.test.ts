import { expect, test } from 'vitest';
import { createMeter } from '../../functions/metrics.ts';
import type { Answered } from '../world/world.ts';
import { hearing, type Kind } from './hearing.ts';

const SECRET = 'keyturn/demo/telegraf';
const KINDS: readonly Kind[] = [
  'missing',
  'deleted',
  'unknown',
  'refused',
  'expiring',
  'bereft',
  'strayed',
];

const measured: string[] = [];
const meter = createMeter({
  owner: 'demo',
  now: () => 0,
  wanted: 'full',
  write: (line) => measured.push(JSON.stringify(line)),
});
meter.measure({ unusableTokens: 1 });
meter.flush();

interface Run extends Answered {
  readonly rang: readonly string[];
  readonly lines?: readonly string[];
}

/** What a run tells of a secret whose consumers it is about. */
const told = ({ rang, lines = measured, ...answer }: Run) =>
  KINDS.filter((kind) => hearing({ ...answer, lines }, () => rang).tellsOf(kind, SECRET));

const entries = (entry: object) => ({ result: { entries: [{ secret: SECRET, ...entry }] } });
const error = { errorType: 'PlanRefusedError', errorMessage: 'refused' };

test('a stray that works tells of no consumers', () => {
  expect(told({ rang: ['WorkingStrays'] })).toEqual(['strayed']);
});

test('a token that is near its expiry tells of nothing that is refused already', () => {
  expect(told({ rang: ['TokensNearExpiry'] })).toEqual(['expiring']);
});

test('what is overdue, drifted, refused as a plan or mended tells of nobody who is refused', () => {
  const others = ['OverdueTokens', 'DriftedDatabases', 'RefusedPlans', 'MendedOutages'];
  expect(told({ rang: others })).toEqual([]);
});

test('an alarm about one entry tells nothing of another', () => {
  const rang = ['UnusableTokens', 'DeletedSecrets', 'LongHolds'];
  expect(told({ rang, ...entries({ condition: 'works' }) })).toEqual([]);
});

test('a deletion that is scheduled is told as one, also under an old hold', () => {
  const rang = ['DeletedSecrets', 'LongHolds'];
  expect(told({ rang, ...entries({ condition: 'deleted' }) })).toContain('deleted');
  expect(told({ rang, ...entries({ condition: 'held', heldSince: 1 }) })).not.toContain('deleted');
});

test('a run that failed tells of everything only if it could measure nothing', () => {
  expect(told({ rang: ['Errors'], error })).toEqual([]);
  expect(told({ rang: ['Errors'], error, lines: [] })).toEqual(KINDS);
});
