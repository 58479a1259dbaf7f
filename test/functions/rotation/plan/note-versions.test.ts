import { describe, expect, test } from 'vitest';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import { homeOf } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  HOUR,
  id,
  inert,
  type Labels,
  LEARNT,
  NOW,
  observationOf,
  policyOf,
  SECOND,
  secretOf,
  stepsOf,
  TELEGRAF,
  type World,
} from '../../builders.ts';

const GRAFANA = 'keyturn/prod/grafana';
const writer = { permissions: { write: ['telemetry'] } };
const policy = policyOf({ tokens: { telegraf: writer, grafana: writer } });
const SAVED = id(70);

const plan = (world: World) =>
  planRotation(policy, observationOf(world), { force: false, tokens: ['telegraf'] }, LEARNT);

describe('writes down which version a person saved', () => {
  const steps = (labels: Labels, more: Partial<World> = {}) => {
    const world = {
      secrets: [secretOf(labels)],
      tokens: [armed(1), armed(2, { marker: { superseded: NOW } })],
      strings: { [SAVED]: 1, [id(71)]: 2 },
      ...more,
    };
    return plan(world).actions;
  };
  const recognises = (n: number, version: string, label: string) => ({
    token: 'telegraf',
    secret: TELEGRAF,
    kind: 'recognise',
    tokenId: id(n),
    version,
    label,
    reason: 'SavedByPerson',
  });

  test('under each label that Keyturn acts by', () => {
    expect(steps({ AWSCURRENT: SAVED, AWSPREVIOUS: id(71) })).toEqual([
      recognises(1, SAVED, 'AWSCURRENT'),
      recognises(2, id(71), 'AWSPREVIOUS'),
    ]);
    const [pending] = steps({ AWSCURRENT: 2, AWSPENDING: SAVED, other: id(71) });
    expect(pending).toEqual(recognises(1, SAVED, 'AWSPENDING'));
  });

  test('once for each token, by its first label, however often it was saved', () => {
    const strings = { [SAVED]: 1, [id(71)]: 1 };
    expect(steps({ AWSCURRENT: SAVED, AWSPREVIOUS: id(71) }, { strings })).toEqual([
      recognises(1, SAVED, 'AWSCURRENT'),
    ]);
  });

  test('and nothing where an id or a marker says it already', () => {
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: id(2) })).toEqual([]);
    const noted = [armed(1, { marker: { version: [SAVED] } }), armed(2)];
    expect(steps({ AWSCURRENT: SAVED }, { tokens: noted })).toEqual([]);
  });

  test('and nothing in a secret that a person holds', () => {
    const tags = { [HOLD_TAG]: 'frozen' };
    expect(steps({}, { secrets: [secretOf({ AWSCURRENT: SAVED }, { tags })] })).toEqual([]);
  });
});

describe('writes down that a person went back to a retired token', () => {
  const steps = (labels: Labels, marker: object, permissions?: []) => {
    const superseded = { superseded: NOW - 9 * DAY, ...marker };
    const old = armed(2, {
      age: 20 * DAY,
      marker: superseded,
      ...(permissions && { permissions }),
    });
    const tokens = [armed(1, { age: HOUR }), old];
    return stepsOf(plan({ secrets: [secretOf(labels)], tokens }));
  };
  const fenced = { fenced: NOW - DAY };

  test('which works, and whose clocks must not go on', () => {
    const back = ['recognise RolledBack 2'];
    expect(steps({ AWSCURRENT: 2 }, {})).toEqual(back);
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, fenced)).toEqual(back);
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, {})).toEqual([]);
  });

  test('not of one that only waits, nor of what is frozen or quarantined', () => {
    const frozen = { ...fenced, frozen: NOW - HOUR };
    expect(steps({ AWSCURRENT: 1, AWSPENDING: 2 }, fenced)).toEqual(['detach-pending PendingDead']);
    expect(steps({ AWSCURRENT: 2 }, frozen, [])).toEqual([]);
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, frozen, [])).toEqual([]);
    const quarantined = { ...fenced, quarantined: NOW - HOUR, was: [] };
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, quarantined, [])).toEqual([]);
  });
});

test('writes down that a token was promoted where no run could, once, and of no other', () => {
  const noted = (options: object, labels: Labels = { AWSCURRENT: 2 }) =>
    stepsOf(plan({ secrets: [secretOf(labels)], tokens: [armed(2, { waits: true, ...options })] }));
  expect(noted({})).toEqual(['recognise Promoted 2']);
  expect(noted({ waits: false })).toEqual([]);
  expect(noted({ marker: { adopted: NOW - HOUR, proven: NOW - HOUR } })).toEqual([
    'note-adoption Adopted 2',
  ]);
  expect(noted({ marker: { order: 'abcdef' } })).toEqual(['recognise Promoted 2']);
  expect(noted({ permissions: [] })).toEqual([]);
  const waits = { AWSCURRENT: 1, AWSPENDING: 2 };
  expect(noted({}, waits)).not.toContain('recognise Promoted 2');
});

describe('marks a token whose string another secret has', () => {
  const home = (name: string) => homeOf(secretOf({}, { name }).arn);
  const marks = (world: Partial<World>, shared?: string) =>
    plan({
      secrets: [
        secretOf({ AWSCURRENT: 1 }),
        secretOf({ AWSCURRENT: SAVED }, { name: GRAFANA }),
        secretOf({ AWSCURRENT: id(71) }, { name: 'keyturn/prod/third' }),
      ],
      tokens: [armed(1, { marker: { ...(shared && { shared }) } })],
      ...world,
    }).actions;
  const mark = { token: 'telegraf', secret: TELEGRAF, kind: 'mark-shared', tokenId: id(1) };

  test('with that secret', () => {
    expect(marks({ strings: { [SAVED]: 1 } })).toEqual([
      { ...mark, by: home(GRAFANA), reason: 'PastedByPerson' },
    ]);
    expect(marks({ strings: { [SAVED]: 1 } }, home(GRAFANA))).toEqual([]);
  });

  test('and not again for another one, while the first has it still', () => {
    const strings = { [SAVED]: 1, [id(71)]: 1 };
    for (const name of [GRAFANA, 'keyturn/prod/third']) {
      expect(marks({ strings }, home(name))).toEqual([]);
    }
    expect(marks({ strings: { [id(71)]: 1 } }, home('keyturn/prod/third'))).toEqual([]);
  });

  test('until that secret is seen to have another one', () => {
    const other = armed(5, { name: GRAFANA });
    const shared = home(GRAFANA);
    const tokens = [armed(1, { marker: { shared } }), other];
    expect(marks({ tokens, strings: { [SAVED]: 5 } })).toEqual([
      { ...mark, reason: 'SharedNoMore' },
    ]);
    const made = secretOf({}, { name: GRAFANA, arn: 'of another secret with the name' });
    const secrets = [secretOf({ AWSCURRENT: 1 }), made];
    expect(marks({ tokens, secrets })).toEqual([{ ...mark, reason: 'SharedNoMore' }]);
  });

  test('and not until then: a string that could not be read is not another one', () => {
    expect(marks({ strings: { [SAVED]: 'unreadable' } }, home(GRAFANA))).toEqual([]);
    expect(marks({}, home(GRAFANA))).toEqual([{ ...mark, reason: 'SharedNoMore' }]);
  });

  test('nor while an entry has no secret in the listing: it may be the one, without its tag', () => {
    expect(marks({ secrets: [secretOf({ AWSCURRENT: 1 })] }, home(GRAFANA))).toEqual([]);
  });
});

describe('starts every grace period again', () => {
  const superseded = (ago: number, more: object = {}) =>
    armed(2, { age: 40 * DAY, marker: { superseded: NOW - ago, ...more } });
  const steps = (labels: Labels, ...tokens: ReturnType<typeof armed>[]) =>
    stepsOf(
      plan({
        secrets: [secretOf(labels)],
        tokens: [armed(1, { age: HOUR }), ...tokens],
        versionTimes: {},
      }),
    );
  const restarts = ['restart-grace UnknownVersion'];

  test('while nobody knows what AWSCURRENT or AWSPREVIOUS has, once an hour at most', () => {
    for (const labels of [{ AWSCURRENT: SAVED }, { AWSCURRENT: 1, AWSPREVIOUS: SAVED }]) {
      expect(steps(labels, superseded(HOUR))).toEqual(restarts);
      expect(steps(labels, superseded(HOUR - SECOND))).toEqual([]);
      expect(steps(labels)).toEqual([]);
    }
  });

  test('not where everybody is known, or only AWSPENDING is not', () => {
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, superseded(DAY))).toEqual([]);
    expect(steps({ AWSCURRENT: 1 }, superseded(DAY))).toEqual([]);
    const pending = steps({ AWSCURRENT: 1, AWSPENDING: SAVED }, superseded(DAY));
    expect(pending).toEqual(['detach-pending PendingDead']);
  });

  test('also of a fenced token, and not of a quarantined one, which nobody can use', () => {
    const fenced = { fenced: NOW - HOUR };
    expect(steps({ AWSCURRENT: SAVED }, superseded(DAY, fenced))).toEqual(restarts);
    const quarantined = { ...fenced, quarantined: NOW - HOUR };
    expect(steps({ AWSCURRENT: SAVED }, superseded(DAY, quarantined))).toEqual([]);
    expect(steps({ AWSCURRENT: SAVED }, inert(3))).toEqual([]);
  });

  test('not of an orphan, which is deleted an hour after its mark', () => {
    const orphan = inert(3, { age: DAY, marker: { superseded: NOW - DAY } });
    expect(steps({ AWSCURRENT: SAVED }, orphan)).toEqual([]);
  });
});
