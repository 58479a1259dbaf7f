import { expect, test } from 'vitest';
import { readPlanReport } from '../../bin/keyturn/answers.ts';
import {
  continued,
  formatRotation,
  isCarriedOut,
  unfinished,
} from '../../bin/keyturn/rotation-text.ts';
import { policyOf } from '../functions/builders.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { HOUR, MINUTE, policyWith, TELEGRAF } from '../world/policy.ts';

const action = (token: string, kind = 'rotate') => ({ kind, token, reason: 'Forced' });
const outcome = (token: string, result: string, kind?: string) => ({
  action: action(token, kind),
  result,
});
const finding = (token: string, kind: string) => ({ token, kind, message: `is ${kind}` });

const report = (
  outcomes: readonly object[],
  findings: readonly object[] = [],
  condition = 'works',
) => {
  const about = { secret: TELEGRAF, condition, late: false };
  return readPlanReport({
    plan: { job: 'rotate', actions: [], findings, limits: [], refusals: [] },
    entries: [{ token: 'telegraf', ...about }],
    outcomes,
  });
};

const both = ['telegraf', 'grafana'];
const OTHERS = [
  'KeyDiffers',
  'LostMarker',
  'NotReplicated',
  'PermissionsChanged',
  'ReplicaFailed',
  'ReplicaKeyDiffers',
  'ReplicaLate',
  'ReplicaUndeclared',
  'ReplicasUnknown',
  'SharedString',
  'UnknownVersion',
] as const;

test.each([
  ['rotated', [outcome('telegraf', 'done')], [], true, false],
  ['promoted', [outcome('telegraf', 'done', 'resume')], [], true, false],
  ['rotated beside a finding', [outcome('telegraf', 'done')], ['LostMarker'], true, false],
  ['answered', [], [], true, false],
  ['answered, and only widened', [outcome('telegraf', 'done', 'widen')], [], true, false],
  ['armed', [outcome('telegraf', 'armed')], [], true, true],
  ['minted alone', [outcome('telegraf', 'done', 'mint')], [], true, true],
  ['without time', [outcome('telegraf', 'postponed')], [], false, true],
  ['overtaken', [outcome('telegraf', 'lost')], [], false, true],
  ['adopted alone', [outcome('telegraf', 'done', 'adopt')], [], false, true],
  ['held meanwhile', [outcome('telegraf', 'held')], [], false, false],
  ['held', [], ['Held'], false, false],
  ['deleted', [], ['SecretDeleted'], false, false],
  ['answered beside findings', [], OTHERS, true, false],
  ['not stored', [], ['CannotStore'], false, false],
] as const)('a named token that is %s', (_what, outcomes, kinds, carriedOut, again) => {
  const shown = report(
    outcomes,
    kinds.map((kind) => finding('telegraf', kind)),
  );
  expect(isCarriedOut(shown, ['telegraf'])).toBe(carriedOut);
  expect(unfinished(shown, ['telegraf'])).toEqual(again ? ['telegraf'] : []);
  const text = formatRotation(shown, ['telegraf'], policyOf());
  expect(text.includes('not rotated')).toBe(
    !carriedOut && !outcomes.some(({ result }) => result === 'postponed'),
  );
  for (const kind of kinds) expect(text).toContain(`is ${kind} [${kind}]`);
});

test.each([
  ['has AWSCURRENT now', [outcome('telegraf', 'done')], false],
  ['waits', [outcome('telegraf', 'done', 'mint')], true],
] as const)(
  'what AWSCURRENT had is told only until its successor %s',
  (_what, outcomes, isTold) => {
    for (const kind of ['UnknownVersion', 'SharedString', 'PermissionsChanged', 'NotShownYet']) {
      const shown = report(outcomes, [finding('telegraf', kind)]);
      expect(formatRotation(shown, ['telegraf'], policyOf()).includes(kind)).toBe(isTold);
    }
  },
);

test.each([
  ['works', true],
  ['refused', true],
  ['missing', false],
  ['gone', false],
] as const)('an unknown database stops no token that has others: %s', (condition, carriedOut) => {
  const shown = report([], [finding('telegraf', 'UnknownDatabase')], condition);
  expect(isCarriedOut(shown, ['telegraf'])).toBe(carriedOut);
  const text = formatRotation(shown, ['telegraf'], policyOf());
  expect(text.includes('not rotated')).toBe(!carriedOut);
  expect(text).toContain('is UnknownDatabase [UnknownDatabase]');
});

test('none of several names vanishes', () => {
  const shown = report([outcome('telegraf', 'armed')], []);
  expect(formatRotation(shown, both, policyOf())).toMatch(
    /^armed {2}rotate telegraf\ngrafana: nothing to do, it was rotated a moment ago\ntelegraf: armed, and not accepted/,
  );
});

test('of a repetition the later run counts, also where it finds a hold', () => {
  const first = report([outcome('telegraf', 'armed'), outcome('grafana', 'done')]);
  const merged = continued(first, report([], [finding('telegraf', 'Held')]), ['telegraf']);
  expect(formatRotation(merged, both, policyOf())).toBe(
    'done  rotate grafana\ntelegraf: not rotated: is Held [Held]',
  );
});

test('a repeated rotation by name ends as the first did, where the policy has a typo in one of its databases', async () => {
  const writing = (...write: string[]) => policyWith({ telegraf: { permissions: { write } } });
  const world = await openWorldForTest(writing('telemetry'));
  await world.rotate();
  await world.wait(HOUR);
  const typo = world.deploy(writing('telemetry', 'qualty'));
  const named = async () => {
    const { result } = await typo.rotate({ tokens: ['telegraf'], force: true });
    const shown = readPlanReport(result);
    return [isCarriedOut(shown, ['telegraf']), shown.outcomes?.length];
  };
  expect(await named()).toEqual([true, 1]);
  const string = world.string(TELEGRAF);
  await world.wait(5 * MINUTE);
  expect(await named()).toEqual([true, 0]);
  expect(world.string(TELEGRAF)).toBe(string);
});
