import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planReaping } from '../../../functions/reaping/plan/plan-reaping.ts';
import { planRotation } from '../../../functions/rotation/plan/plan-rotation.ts';
import { HOLD_TAG } from '../../../functions/secrets-manager/secret.ts';
import type { ObservedSecret, OwnedToken } from '../../../functions/tokens/observation.ts';
import { isExpired } from '../../../functions/tokens/state.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  inert,
  MINUTE,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
  WRITE,
} from '../builders.ts';
import { applied } from './model-of-both.ts';

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
  })
  .map(({ since, frozen, forced }) => {
    const [superseded, fenced, quarantined] = since.toSorted((a, b) => a - b);
    const marker = { superseded, fenced, quarantined, frozen, forced };
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
        ? armed(n, { ...options, marker: { ...marker, was: WRITE } })
        : inert(n, { ...options, permissions: [], marker });
    }),
  );

const secrets = fc
  .array(
    fc.record({
      labels: fc.dictionary(
        fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'),
        fc.integer({ min: 0, max: 6 }),
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

const world = fc.record({ secrets, tokens, at: fc.constant(NOW) });
const policies = fc
  .record({
    onRemoval: fc.constantFrom('report', 'retire'),
    expiredForeignTokens: fc.constantFrom('report', 'delete'),
  })
  .map((document) => policyOf(document));

type Drawn = typeof world extends fc.Arbitrary<infer T> ? T : never;
const rotation = (drawn: Drawn, policy = policyOf()) =>
  planRotation(policy, observationOf(drawn), { force: false });
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
function protection({ token, marker, version }: OwnedToken, { secret }: ObservedSecret) {
  const { AWSCURRENT, AWSPREVIOUS, AWSPENDING } = secret.labels;
  if (version === AWSCURRENT) return 'current';
  if (isExpired(token, NOW)) return undefined;
  const { superseded, quarantined } = marker;
  const alive = superseded === undefined && quarantined === undefined;
  return alive && version === AWSPENDING && version !== AWSPREVIOUS ? 'pending' : undefined;
}

function graceIsOver({ token, marker }: OwnedToken): boolean {
  const neverArmed = marker.fp === undefined && token.permissions.length === 0;
  return isExpired(token, NOW) || (marker.superseded ?? NOW) <= NOW - (neverArmed ? HOUR : DAY);
}

test('never takes from a current, pending or just superseded token, unless it expired or is on hold', () => {
  fc.assert(
    fc.property(world, (drawn) => {
      const observation = observationOf(drawn);
      for (const action of reaping(drawn).actions) {
        const seen = observation.secrets.get('secret' in action ? action.secret : '');
        const owned = seen?.tokens.find(
          ({ token }) => 'tokenId' in action && token.id === action.tokenId,
        );
        if (!seen || !owned) throw new Error('acts on what was not observed');
        if (isHeld(seen)) continue;
        expect(protection(owned, seen)).toBeUndefined();
        expect(action.kind === 'supersede' || graceIsOver(owned)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test('mints no second token for a secret in one plan', () => {
  fc.assert(
    fc.property(world, (drawn) => {
      expect(rotation(drawn).actions.length).toBeLessThanOrEqual(1);
    }),
  );
});
