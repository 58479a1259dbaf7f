import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planReaping } from '../../../functions/reaping/plan/plan-reaping.ts';
import type { ReapingAction } from '../../../functions/reaping/plan/reaping-action.ts';
import { planRotation } from '../../../functions/rotation/plan/plan-rotation.ts';
import type { RotationAction } from '../../../functions/rotation/plan/rotation-action.ts';
import { HOLD_TAG } from '../../../functions/secrets-manager/hold.ts';
import type { ObservedSecret, OwnedToken } from '../../../functions/tokens/observation.ts';
import { isExpired } from '../../../functions/tokens/state.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  LEARNT,
  MINUTE,
  NOW,
  observationOf,
  policyOf,
  SECOND,
  secretOf,
  TELEGRAF,
  version,
  WRITE,
} from '../builders.ts';
import { applied } from './model-of-both.ts';

const SAVED = id(70);
const ago = fc.constantFrom(
  ...[0, 1, 30 * MINUTE, HOUR, DAY - 1_000, DAY, 2 * DAY, 8 * DAY, 20 * DAY].map((d) => NOW - d),
);
const permissions = fc.constantFrom([], WRITE, [
  ...WRITE,
  { action: 'read', resource: 'telemetry' },
]);
/** Retirement goes one way: nothing is fenced that was not superseded before. */
const marks = fc
  .record({
    since: fc.array(ago, { maxLength: 3 }),
    frozen: fc.option(ago, { nil: undefined, freq: 6 }),
    forced: fc.constantFrom(undefined, true as const),
    grace: fc.constantFrom(undefined, (2 * DAY) / SECOND),
    version: fc.constantFrom(undefined, [SAVED], [id(71)]),
    armed: fc.option(ago, { nil: undefined, freq: 6 }),
    promoted: fc.option(ago, { nil: undefined }),
  })
  .map(({ since, ...others }) => {
    const [superseded, fenced, quarantined] = since.toSorted((a, b) => a - b);
    const marker = { superseded, fenced, quarantined, ...others };
    return Object.fromEntries(Object.entries(marker).filter(([, value]) => value !== undefined));
  });
const age = fc.constantFrom(0, 30 * MINUTE, HOUR, DAY, 27 * DAY, 40 * DAY, 89 * DAY, 90 * DAY);
const name = fc.constantFrom(TELEGRAF, 'keyturn/prod/removed');

const tokens = fc
  .array(
    fc.record({
      shape: fc.constantFrom('inert', 'armed', 'foreign'),
      permissions,
      marks,
      age,
      name,
    }),
    { maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map(({ shape, marks: marker, ...options }, n) => {
      if (shape === 'foreign') return foreign(n, { createdAt: NOW - options.age });
      return shape === 'armed'
        ? armed(n, { ...options, waits: true, marker: { ...marker, was: WRITE } })
        : inert(n, { ...options, permissions: [], marker });
    }),
  );

const secrets = fc
  .array(
    fc.record({
      labels: fc.dictionary(
        fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'),
        fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(id(1), id(2), SAVED, id(71))),
      ),
      hold: fc.option(fc.constantFrom('frozen', 'deleted'), { nil: undefined, freq: 6 }),
    }),
    { minLength: 2, maxLength: 2 },
  )
  .map((drawn) =>
    drawn.map(({ labels, hold }, n) => {
      const secretName = n === 0 ? TELEGRAF : 'keyturn/prod/removed';
      const { tags } = secretOf();
      return secretOf(labels, {
        name: secretName,
        tags: { ...tags, ...(hold && { [HOLD_TAG]: hold }) },
      });
    }),
  );

const strings = fc.dictionary(
  fc.constantFrom(SAVED, id(71)),
  fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant('empty' as const)),
);
const versionTimes = fc.dictionary(fc.constantFrom(SAVED, id(71), version(1), version(2)), ago);
const world = fc.record(
  { secrets, tokens, at: fc.constant(NOW), strings, versionTimes },
  { requiredKeys: ['secrets', 'tokens', 'at', 'strings'] },
);
const policies = fc
  .record({
    onRemoval: fc.constantFrom('report', 'retire'),
    expiredForeignTokens: fc.constantFrom('report', 'delete'),
  })
  .map((document) => policyOf(document));

type Drawn = typeof world extends fc.Arbitrary<infer T> ? T : never;
const rotation = (drawn: Drawn, policy = policyOf()) =>
  planRotation(policy, observationOf(drawn), { force: false }, LEARNT);
const reaping = (drawn: Drawn, policy = policyOf()) => planReaping(policy, observationOf(drawn));

test('plans nothing more once its plans were applied', () => {
  fc.assert(
    fc.property(world, policies, (drawn, policy) => {
      for (const plan of [rotation, reaping]) {
        let now = drawn;
        const rounds = [];
        // Giving back or resuming what is old makes it due; a secret goes when its last token has gone.
        for (let round = 0; round < 4; round += 1) {
          const next = plan(now, policy);
          rounds.push(next.actions);
          now = { ...drawn, ...applied(now, next, policy) } as Drawn;
        }
        expect(rounds.at(-1)).toEqual([]);
      }
    }),
  );
});

test('plans the same for the same world, whatever its order', () => {
  fc.assert(
    fc.property(world, policies, (drawn, policy) => {
      const turned = {
        ...drawn,
        secrets: drawn.secrets.toReversed(),
        tokens: drawn.tokens.toReversed(),
      };
      for (const plan of [rotation, reaping]) {
        expect(plan(turned, policy)).toEqual(plan(drawn, policy));
      }
    }),
  );
});

test('never acts on a token of others, but for expired ones where the policy says so', () => {
  fc.assert(
    fc.property(world, policies, (drawn, policy) => {
      const { foreign: others } = observationOf(drawn);
      const touched = [
        ...rotation(drawn, policy).actions,
        ...reaping(drawn, policy).actions,
      ].filter((action) => 'tokenId' in action && others.has(action.tokenId ?? ''));
      for (const action of touched) {
        expect(action.kind).toBe('delete-foreign');
        expect(policy.expiredForeignTokens).toBe('delete');
        const token = 'tokenId' in action && others.get(action.tokenId ?? '');
        expect(token && isExpired(token, NOW)).toBe(true);
      }
    }),
  );
});

const isHeld = ({ secret }: ObservedSecret) => secret.tags[HOLD_TAG] !== undefined;

/** Why nobody may take from a token now; undefined if one may. */
function protection({ token, marker }: OwnedToken, { secret, holders }: ObservedSecret) {
  const has = (label: string) => {
    const holder = holders.get(secret.labels[label] ?? '');
    return holder?.state === 'owned' && holder.owned.token.id === token.id;
  };
  if (has('AWSCURRENT')) return 'current';
  if (isExpired(token, NOW)) return undefined;
  const { superseded, quarantined, promoted = secret.changedAt } = marker;
  const alive = superseded === undefined && quarantined === undefined;
  const current = holders.get(secret.labels.AWSCURRENT ?? '');
  const replaced = current?.state === 'owned' ? current.owned.marker.superseded : undefined;
  const isBack =
    replaced !== undefined && token.createdAt <= replaced && replaced < secret.changedAt;
  const wasLeft = promoted < secret.changedAt || isBack || has('AWSPREVIOUS');
  return alive && has('AWSPENDING') && !wasLeft ? 'pending' : undefined;
}

function graceIsOver({ token, marker }: OwnedToken): boolean {
  const neverArmed = marker.grants === undefined && token.permissions.length === 0;
  const grace = neverArmed ? HOUR : Math.max(DAY, (marker.grace ?? 0) * SECOND);
  return isExpired(token, NOW) || (marker.superseded ?? NOW) <= NOW - grace;
}

/** It begins a grace period anew, and takes nothing from anybody. */
const isBeginning = ({ kind, reason }: ReapingAction) =>
  kind === 'supersede' || reason === 'PreviousAgain';

/** What `reap` would do to tokens of ours that nobody put on hold, with what it saw of each. */
function retirements(drawn: Drawn) {
  const { secrets: observed } = observationOf(drawn);
  return reaping(drawn).actions.flatMap((action) => {
    if (!('tokenId' in action && 'secret' in action)) return [];
    const seen = observed.get(action.secret);
    const owned = seen?.tokens.find(({ token }) => token.id === action.tokenId);
    if (!seen || !owned) throw new Error('acts on what was not observed');
    return isHeld(seen) ? [] : [{ action, seen, owned }];
  });
}

test('never takes from a current, pending or just superseded token, unless it expired or is on hold', () => {
  fc.assert(
    fc.property(world, (drawn) => {
      for (const { action, seen, owned } of retirements(drawn)) {
        expect(protection(owned, seen)).toBeUndefined();
        expect(isBeginning(action) || graceIsOver(owned)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

/** Nobody knows which string consumers have, or had before. */
const isUnclear = ({ secret: { labels }, holders }: ObservedSecret) =>
  ['AWSCURRENT', 'AWSPREVIOUS'].some((label) =>
    ['unknown', 'shared', 'empty'].includes(holders.get(labels[label] ?? '')?.state ?? ''),
  );

test('retires nothing that ever worked while nobody knows which string consumers have', () => {
  fc.assert(
    fc.property(world, (drawn) => {
      for (const { seen, owned } of retirements(drawn)) {
        const everWorked = owned.marker.grants !== undefined && !isExpired(owned.token, NOW);
        expect(everWorked && isUnclear(seen)).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

const NOTES: readonly RotationAction['kind'][] = ['recognise', 'mark-shared', 'restart-grace'];

test('does one thing at most for a secret in one plan, besides noting what it has seen', () => {
  fc.assert(
    fc.property(world, (drawn) => {
      const deeds = rotation(drawn).actions.filter(({ kind }) => !NOTES.includes(kind));
      expect(deeds.length).toBeLessThanOrEqual(1);
    }),
  );
});

test('promotes nothing that is older than what consumers have, unless that is gone', () => {
  fc.assert(
    fc.property(world, (drawn) => {
      const { secrets: observed } = observationOf(drawn);
      for (const action of rotation(drawn).actions) {
        if (action.kind !== 'resume' || action.reason === 'Unarmed') continue;
        const { secret, holders, tokens: its } = observed.get(action.secret) ?? {};
        const next = its?.find(({ token }) => token.id === action.tokenId);
        const current = holders?.get(secret?.labels.AWSCURRENT ?? '');
        const former = current?.state === 'owned' ? current.owned.token : undefined;
        expect(next?.marker.frozen).toBeUndefined();
        if (former) expect(next?.token.createdAt).toBeGreaterThanOrEqual(former.createdAt);
      }
    }),
    { numRuns: 500 },
  );
});
