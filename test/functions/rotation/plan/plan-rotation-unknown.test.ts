import { expect, test } from 'vitest';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import {
  armed,
  DAY,
  HOUR,
  id,
  LEARNT,
  NOW,
  observationOf,
  planOf,
  policyOf,
  secretOf,
  stepsOf,
  TELEGRAF,
  type World,
  within,
} from '../../builders.ts';

const about = { token: 'telegraf', secret: TELEGRAF };
const SAVED = id(70);
const GRAFANA = 'keyturn/prod/grafana';
const secrets = [secretOf({ AWSCURRENT: SAVED })];

const plan = (world: Partial<World>, { asked = false, refused = false } = {}) =>
  planRotation(
    policyOf(),
    observationOf({ secrets, versionTimes: { [SAVED]: NOW - DAY }, ...world }),
    asked ? { force: true, tokens: ['telegraf'] } : { force: false },
    { ...LEARNT, refused: new Set(refused ? [TELEGRAF] : []) },
  );

const unknown = {
  ...about,
  kind: 'UnknownVersion',
  message:
    'AWSCURRENT has a string that is no token of ours: a person put it there; rotate it by name to replace it',
};

test('reports a string that nobody knows, and takes it neither for gone nor for ours', () => {
  const nothing = planOf('rotate', { findings: [unknown] });
  expect(plan({})).toEqual(nothing);
  expect(plan({ strings: { [SAVED]: 'empty' } })).toEqual(nothing);
  expect(plan({ tokens: [armed(1)] })).toEqual(nothing);
});

test('of one that it could not read it says that, and of a deleted secret nothing more', () => {
  const strings = { [SAVED]: 'unreadable' } as const;
  const message = `AWSCURRENT could not be read, so nobody knows whose string it has (the log says why); allow whoever runs this (the role of the function; with --local, you) secretsmanager:GetSecretValue on ${TELEGRAF} and the use of its key, or, if it has bytes, rotate it by name to replace it`;
  expect(plan({ strings })).toEqual(planOf('rotate', { findings: [{ ...unknown, message }] }));
  const deleted = [secretOf({ AWSCURRENT: SAVED }, { deletedAt: NOW - DAY })];
  const kinds = plan({ secrets: deleted, strings }).findings.map(({ kind }) => kind);
  expect(kinds).toEqual(['SecretDeleted']);
});

test('rotates it by the age of its version, like any token', () => {
  const at = (madeAt: number) => stepsOf(plan({ versionTimes: { [SAVED]: madeAt } }));
  expect(at(NOW - 28 * DAY)).toEqual([]);
  expect(at(NOW - 30 * DAY)).toEqual(['mint Due']);
  // A version that Secrets Manager does not list counts as old as the secret's last change.
  const changed = (changedAt: number) =>
    stepsOf(plan({ secrets: [secretOf({ AWSCURRENT: SAVED }, { changedAt })], versionTimes: {} }));
  expect(changed(NOW - 28 * DAY)).toEqual([]);
  expect(changed(NOW - 30 * DAY)).toEqual(['mint Due']);
});

test('rotates it by name at once, and does not count it against the limit', () => {
  expect(plan({}, { asked: true })).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'rotate', reason: 'Forced' }],
      findings: [unknown],
    }),
  );
});

test('replaces it at once where the whole data plane refuses it, and counts that', () => {
  expect(plan({}, { refused: true })).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'rotate', reason: 'Missing' }],
      findings: [unknown],
      limits: within(1),
    }),
  );
});

test('replaces nothing that is known because a data plane refuses it, and asks again until it is accepted', () => {
  const known = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [armed(1, { age: HOUR })] };
  const verify = { ...about, kind: 'verify', reason: 'Refused', tokenId: id(1) };
  expect(plan(known, { refused: true })).toEqual(planOf('rotate', { actions: [verify] }));
});

test('names the secret whose string a person pasted here', () => {
  const shared = {
    secrets: [...secrets, secretOf({ AWSCURRENT: 5 }, { name: GRAFANA })],
    tokens: [armed(5, { name: GRAFANA })],
    strings: { [SAVED]: 5 },
  };
  expect(plan(shared)).toEqual(
    planOf('rotate', {
      // Its own entry is not in the policy, and its token is kept all the same.
      actions: [expect.objectContaining({ kind: 'mark-shared', tokenId: id(5), secret: GRAFANA })],
      findings: [
        {
          ...about,
          kind: 'SharedString',
          message: `AWSCURRENT has the string of ${GRAFANA}; rotate it by name to give it its own`,
          tokenId: id(5),
        },
      ],
    }),
  );
  expect(stepsOf(plan(shared, { asked: true }))).toEqual(['rotate Forced']);
});

test('takes a string that it recognises for the token whose it is', () => {
  const recognised = (age: number) =>
    stepsOf(plan({ tokens: [armed(1, { age })], strings: { [SAVED]: 1 } }));
  expect(recognised(DAY)).toEqual(['recognise SavedByPerson 1']);
  expect(recognised(30 * DAY)).toEqual(['mint Due', 'recognise SavedByPerson 1']);
});

test('mints nothing where its string would find no place, and says why instead of counting it', () => {
  const why = 'has no string under "key"';
  const other = { ...about, kind: 'OtherShape', message: why };
  const found = new Map([[TELEGRAF, { kind: 'OtherShape', message: why }]]);
  const planned = (world: World, noToken = found) =>
    planRotation(policyOf(), observationOf(world), { force: false }, { ...LEARNT, noToken });
  const gone = { secrets: [secretOf({ AWSCURRENT: 1 })] };
  expect(planned(gone)).toEqual(planOf('rotate', { findings: [other] }));
  expect(stepsOf(planned(gone, new Map()))).toEqual(['rotate CurrentGone']);
  // What waits already has its place.
  const waits = { secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })], tokens: [armed(2)] };
  expect(stepsOf(planned(waits))).toEqual(['resume CurrentGone 2']);
});
