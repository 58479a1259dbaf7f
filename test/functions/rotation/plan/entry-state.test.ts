import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { measureTokens } from '../../../../functions/rotation/plan/measure-tokens.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  type World,
} from '../../builders.ts';

function measure(world: World, policy: Policy = policyOf()) {
  const observation = observationOf(world);
  return measureTokens(policy, observation, planRotation(policy, observation, { force: false }));
}

const writer = { permissions: { write: ['telemetry'] } };

const current = (options: Parameters<typeof armed>[1] = {}) => ({
  secrets: [secretOf({ AWSCURRENT: 1 })],
  tokens: [armed(1, options)],
});

test('tells the age and the runway of the tokens that consumers use', () => {
  const policy = policyOf({ tokens: { telegraf: writer, grafana: writer } });
  const secrets = [
    secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 3 }),
    secretOf({ AWSCURRENT: 2 }, { name: 'keyturn/prod/grafana' }),
  ];
  const tokens = [
    armed(1, { age: 20 * DAY }),
    armed(2, { age: 5 * DAY, expiresAt: NOW + 30.5 * DAY, name: 'keyturn/prod/grafana' }),
    armed(3, { age: 50 * DAY, expiresAt: NOW + DAY, marker: { superseded: NOW - HOUR } }),
  ];
  expect(measure({ secrets, tokens }, policy)).toEqual({
    ownedTokens: 3,
    overdueTokens: 0,
    tokensNearExpiry: 0,
    runwayDays: 30.5,
    oldestTokenDays: 20,
  });
});

test('tells no runway where nothing expires, and no age where there is nothing', () => {
  const { expiresAt, ...token } = armed(1);
  const immortal = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [token] };
  expect(measure(immortal)).not.toHaveProperty('runwayDays');
  expect(measure({})).toEqual({ ownedTokens: 0, overdueTokens: 0, tokensNearExpiry: 0 });
});

describe('overdue is', () => {
  const overdue = (world: World, policy?: Policy) => measure(world, policy).overdueTokens;

  test('a day later than rotateEvery', () => {
    expect(overdue(current({ age: 31 * DAY - 1 }))).toBe(0);
    expect(overdue(current({ age: 31 * DAY }))).toBe(1);
  });

  test('a tenth later where rotateEvery is short, and a week more where windows are waited for', () => {
    const daily = policyOf({}, { rotateEvery: '1d', gracePeriod: '1h' });
    expect(overdue(current({ age: 26.3 * HOUR }), daily)).toBe(0);
    expect(overdue(current({ age: 26.4 * HOUR }), daily)).toBe(1);
    const weekly = policyOf({}, { windows: ['Mon 09:00-10:00'] });
    expect(overdue(current({ age: 37 * DAY }), weekly)).toBe(0);
    expect(overdue(current({ age: 38 * DAY }), weekly)).toBe(1);
  });

  test('an entry without a token for which this run does nothing either', () => {
    const typo = policyOf({}, { permissions: { write: ['telemtry'] } });
    expect(overdue({ databases: ['telemetry'] }, typo)).toBe(1);
    expect(overdue({ databases: ['telemetry'] })).toBe(0);
    const scheduled = secretOf({ AWSCURRENT: 1 }, { deletedAt: NOW });
    expect(overdue({ secrets: [scheduled] })).toBe(1);
  });

  test('nothing that a person holds, or that another Region writes', () => {
    const old = { age: 80 * DAY };
    const held = secretOf({ AWSCURRENT: 1 }, { tags: { 'keyturn:hold': 'frozen' } });
    expect(overdue({ secrets: [held], tokens: [armed(1, old)] })).toBe(0);
    const replica = secretOf({ AWSCURRENT: 1 }, { replica: true });
    expect(overdue({ secrets: [replica], tokens: [armed(1, old)] })).toBe(0);
    expect(overdue(current({ ...old, permissions: [] }))).toBe(0);
  });

  test('counted from the adoption of what was adopted', () => {
    expect(overdue(current({ age: 300 * DAY, marker: { adopted: NOW - 29 * DAY } }))).toBe(0);
  });
});

describe('near expiry is', () => {
  const near = (world: World, policy?: Policy) => measure(world, policy).tokensNearExpiry;
  const left = (ms: number) => current({ age: DAY, expiresAt: NOW + ms });

  test('half of renewBefore, after which rotation has failed for as long', () => {
    expect(near(left(7 * DAY))).toBe(0);
    expect(near(left(7 * DAY - 1))).toBe(1);
  });

  test('a token whose entry has left the policy, unless it is retired', () => {
    const other = { tokens: { other: writer } };
    expect(near(left(HOUR), policyOf(other))).toBe(1);
    expect(near(left(HOUR), policyOf({ ...other, onRemoval: 'retire' }))).toBe(0);
  });

  test('a current token that lost its marker', () => {
    const world = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [foreign(1, { id: id(1) })] };
    expect(near(world)).toBe(1);
  });
});
