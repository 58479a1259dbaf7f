import { expect, test } from 'vitest';
import type { Token } from '../../../../functions/management-api/token.ts';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { orderId } from '../../../../functions/revocation/plan/order.ts';
import { planRevocation } from '../../../../functions/revocation/plan/plan-revocation.ts';
import type { RevocationEvent } from '../../../../functions/revocation/request.ts';
import { parseRevokeRequest } from '../../../../functions/revocation/request.ts';
import { HOLD_LABELS, HOLD_TAG, LIFTED_TAG } from '../../../../functions/secrets-manager/hold.ts';
import type { Secret } from '../../../../functions/secrets-manager/secret.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  MINUTE,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
} from '../../builders.ts';

interface Around {
  readonly secret: Secret;
  readonly tokens: readonly Token[];
  readonly policy?: Policy;
}

const planned = ({ secret, tokens, policy = policyOf() }: Around, event: RevocationEvent) => {
  const { secrets } = observationOf({ secrets: [secret], tokens });
  const request = parseRevokeRequest({ reason: 'leaked', token: 'telegraf', ...event });
  return planRevocation(policy, { at: NOW, secrets, tokens }, request);
};
/** `delete 1`, `hold frozen`: short enough to compare whole plans. */
const steps = (around: Around, event: RevocationEvent) =>
  planned(around, event).actions.map((action) => {
    const {
      kind,
      hold,
      label,
      version,
      tokenId = version,
    } = { ...action } as Record<string, string>;
    const n = tokenId && Number(tokenId.replace('keyturn-', '').slice(0, 8));
    return [kind, hold ?? label, n].filter(Boolean).join(' ');
  });

const held = (hold: 'frozen' | 'deleted', labels: Readonly<Record<string, number>>): Secret => {
  const secret = secretOf({ ...labels, [HOLD_LABELS[hold]]: 1 });
  return {
    ...secret,
    tags: { ...secret.tags, [HOLD_TAG]: `${hold} 2026-03-01T12:00:00Z: leaked` },
  };
};
const old = armed(1, { age: 9 * DAY });
const superseded = armed(2, { age: 20 * DAY, marker: { superseded: NOW - HOUR } });
const frozen = armed(1, {
  age: 9 * DAY,
  permissions: [],
  marker: { frozen: NOW - HOUR, was: old.permissions },
});
const order = orderId(parseRevokeRequest({ reason: 'leaked', token: 'telegraf' }));
const successor = (age: number, marker: object = { order }) =>
  armed(3, { age, marker: { replaces: id(1), forced: true, ...marker } });
const labels = { AWSCURRENT: 1, AWSPREVIOUS: 2, AWSPENDING: 1 };
const usual = { secret: secretOf(labels), tokens: [old, superseded] };

test('says in which order each way takes its steps', () => {
  const kills = ['detach-label AWSPREVIOUS 2', 'delete 1', 'delete 2'];
  expect(steps(usual, {})).toEqual(['replace', ...kills]);
  expect(steps(usual, { immediately: true })).toEqual([...kills, 'replace']);
  expect(steps(usual, { way: 'delete' })).toEqual(['hold deleted', ...kills]);
  expect(steps(usual, { way: 'freeze' })).toEqual(['hold frozen', 'strip 1', 'strip 2']);
  expect(steps(usual, { way: 'unfreeze' })).toEqual([]);
  expect(steps(usual, { way: 'lift' })).toEqual([]);
  expect(steps(usual, { way: 'whois' })).toEqual([]);
});

test('undoes a freeze from behind: the hold goes first', () => {
  const around = { secret: held('frozen', { AWSCURRENT: 1 }), tokens: [frozen] };
  expect(planned(around, { way: 'unfreeze' }).actions).toMatchObject([
    { kind: 'release', hold: 'on hold (frozen) since 2026-03-01T12:00:00Z: leaked' },
    { kind: 'give-back', tokenId: id(1) },
  ]);
  const crashed = { ...around, secret: secretOf({ AWSCURRENT: 1 }) };
  expect(steps(crashed, { way: 'unfreeze' })).toEqual(['give-back 1']);
});

test('a token that is named is no successor, also if an earlier version minted it without saying by which order', () => {
  const around = { secret: secretOf({ AWSCURRENT: 3 }), tokens: [successor(10 * MINUTE, {})] };
  expect(steps(around, {})).toEqual([]); // by name it may be that of this order
  expect(steps(around, { token: undefined, tokenId: id(3) })).toEqual(['replace', 'delete 3']);
});

test('finishes a deletion before it lifts it', () => {
  const around = { secret: held('deleted', { AWSCURRENT: 1 }), tokens: [old] };
  expect(planned(around, { way: 'lift' }).actions).toMatchObject([
    { kind: 'delete', tokenId: id(1) },
    { kind: 'release' },
  ]);
});

test('lift gives back what a run stripped under the deletion that was lifted, and nothing else', () => {
  const secret = secretOf({ AWSCURRENT: 1 });
  const lifted = { ...secret, tags: { ...secret.tags, [LIFTED_TAG]: '2026-03-02T11:00:00Z' } };
  const leaked = armed(2, {
    age: 20 * DAY,
    permissions: [],
    marker: { superseded: NOW - 2 * HOUR, frozen: NOW - HOUR, was: old.permissions },
  });
  expect(steps({ secret: lifted, tokens: [frozen, leaked] }, { way: 'lift' })).toEqual([
    'give-back 1',
  ]);
  expect(steps({ secret, tokens: [frozen, leaked] }, { way: 'lift' })).toEqual([]);
  const back = { ...lifted, labels: secretOf({ AWSCURRENT: 2 }).labels }; // somebody rolled back to it
  expect(steps({ secret: back, tokens: [leaked] }, { way: 'lift' })).toEqual([]);
});

test('sets the trace of a hold that is missing', () => {
  const tagOnly = secretOf({ AWSCURRENT: 1 });
  const around = {
    secret: { ...tagOnly, tags: { ...tagOnly.tags, [HOLD_TAG]: 'frozen' } },
    tokens: [frozen],
  };
  expect(steps(around, { way: 'freeze' })).toEqual(['hold frozen']);
  const both = { secret: held('frozen', { AWSCURRENT: 1 }), tokens: [frozen] };
  expect(steps(both, { way: 'freeze' })).toEqual([]);
  expect(steps(both, { way: 'freeze', reason: 'legal' })).toEqual(['hold frozen']);
});

test('stamps every token of a frozen secret, so that a roll back gives nothing back', () => {
  const quarantined = armed(2, {
    age: 20 * DAY,
    permissions: [],
    marker: { superseded: NOW - 9 * DAY, quarantined: NOW - HOUR, was: old.permissions },
  });
  const around = { secret: held('frozen', { AWSCURRENT: 1 }), tokens: [frozen, quarantined] };
  expect(steps(around, { way: 'freeze' })).toEqual(['strip 2']);
});

test.each([
  ['deleted', {}, 'lift it first'],
  ['frozen', {}, 'unfreeze it first'],
  ['deleted', { way: 'freeze' }, 'it stays so'],
  ['deleted', { way: 'unfreeze' }, 'lift it'],
  ['frozen', { way: 'lift' }, 'unfreeze it'],
] as const)('leaves what is %s to itself: %j', (hold, event, advice) => {
  const plan = planned({ secret: held(hold, { AWSCURRENT: 1 }), tokens: [frozen] }, event);
  const reason = `is on hold (${hold}) since 2026-03-01T12:00:00Z: leaked; ${advice}`;
  expect(plan).toMatchObject({
    actions: [],
    notReached: [{ secret: TELEGRAF, reason }],
    warnings: [`${TELEGRAF} ${reason}`],
  });
});

test('a secret that is scheduled for deletion is not replaced, and the rest goes as far as it can', () => {
  const secret = { ...secretOf(labels), deletedAt: NOW - HOUR };
  const around = { secret, tokens: [old, superseded] };
  expect(planned(around, {})).toMatchObject({ actions: [], notReached: [{ secret: TELEGRAF }] });
  expect(steps(around, { way: 'freeze' })).toEqual(['strip 1', 'strip 2']);
  expect(steps(around, { way: 'delete' })).toEqual(['delete 1', 'delete 2']);
  expect(planned(around, { way: 'delete' }).warnings).toEqual([
    expect.stringContaining('takes no hold: restoring it undoes this order'),
  ]);
});

test('goes on with the successor that the same order has minted before', () => {
  const tokens = [old, successor(HOUR)];
  const pending = { secret: secretOf({ AWSCURRENT: 1, AWSPENDING: 3 }), tokens };
  expect(steps(pending, {})).toEqual(['replace 3', 'delete 1']);
  const promoted = { secret: secretOf({ AWSCURRENT: 3, AWSPREVIOUS: 1 }), tokens };
  expect(steps(promoted, {})).toEqual(['detach-label AWSPREVIOUS 1', 'delete 1']);
  const overtaken = {
    secret: secretOf({ AWSCURRENT: 4, AWSPREVIOUS: 3 }),
    tokens: [...tokens, armed(4)],
  };
  expect(steps(overtaken, {})).toEqual([
    'replace',
    'detach-label AWSPREVIOUS 3',
    'delete 4', // AWSCURRENT's first: that it is gone is what a repetition sees
    'delete 1',
    'delete 3',
  ]);
});

test('takes no token for its successor that nobody can use: expired, or stripped by a person', () => {
  for (const dead of [
    { ...successor(HOUR), expiresAt: NOW },
    { ...successor(HOUR), permissions: [] },
  ]) {
    const around = { secret: secretOf({ AWSCURRENT: 1, AWSPENDING: 3 }), tokens: [old, dead] };
    expect(steps(around, {})).toEqual([
      'replace',
      'detach-label AWSPENDING 3',
      'delete 1',
      'delete 3',
    ]);
  }
});

test('takes the successor of a finished order for one for an hour, and no other order for the same', () => {
  const around = (age: number, marker?: object) => ({
    secret: secretOf({ AWSCURRENT: 3 }),
    tokens: [successor(age, marker)],
  });
  expect(steps(around(10 * MINUTE), {})).toEqual([]);
  expect(steps(around(59 * MINUTE), {})).toEqual([]);
  // 0.1 wrote which token was replaced, and not by which order.
  expect(steps(around(10 * MINUTE, {}), {})).toEqual([]);
  expect(steps(around(60 * MINUTE), {})).toEqual(['replace', 'delete 3']);
  expect(steps(around(MINUTE), { reason: 'leaked again' })).toEqual(['replace', 'delete 3']);
  expect(steps(around(MINUTE), { token: undefined, tokenId: id(3) })).toEqual([
    'replace',
    'delete 3',
  ]);
});

test('condemns only tokens that are older than its successor', () => {
  const younger = armed(4, { age: MINUTE });
  const tokens = [old, successor(HOUR), younger];
  const promoted = { secret: secretOf({ AWSCURRENT: 3, AWSPENDING: 4 }), tokens };
  expect(steps(promoted, {})).toEqual(['delete 1']);
  const waiting = { secret: secretOf({ AWSCURRENT: 4, AWSPENDING: 3 }), tokens };
  expect(steps(waiting, {})).toEqual(['delete 1']);
});

test('deletes nothing that a person froze, though it is replaced', () => {
  const around = { secret: secretOf({ AWSCURRENT: 2 }), tokens: [frozen, superseded] };
  expect(steps(around, {})).toEqual(['replace', 'delete 2']);
});

test('kills a stuck pending token, and leaves one that was never stored to reap', () => {
  const stuck = {
    secret: secretOf({ AWSCURRENT: 1, AWSPENDING: 5 }),
    tokens: [old, inert(5), inert(6)],
  };
  expect(steps(stuck, {})).toEqual([
    'replace',
    'detach-label AWSPENDING 5',
    'delete 1',
    'delete 5',
  ]);
  expect(steps(stuck, { way: 'delete' })).toContain('delete 6');
});

test('deals with a superseded token by itself while another one works', () => {
  const named = { token: undefined, tokenId: id(2) };
  expect(steps(usual, named)).toEqual(['detach-label AWSPREVIOUS 2', 'delete 2']);
  expect(steps(usual, { ...named, way: 'freeze' })).toEqual(['strip 2']);
  const alone = { secret: secretOf(labels), tokens: [superseded] };
  expect(steps(alone, named)).toEqual(['replace', 'detach-label AWSPREVIOUS 2', 'delete 2']);
});

test('finds a database by what tokens may do, might do, and should do', () => {
  const database = { token: undefined, database: 'telemetry', way: 'freeze' } as const;
  expect(planned(usual, database).secrets).toEqual([TELEGRAF]);
  expect(planned({ ...usual, tokens: [frozen] }, database).secrets).toEqual([TELEGRAF]);
  expect(planned({ ...usual, tokens: [] }, database).secrets).toEqual([TELEGRAF]);
  expect(() => planned(usual, { ...database, database: 'telemetri' })).toThrow(
    'no token of this deployment can use a database telemetri; did you mean "telemetry"?',
  );
  const any = armed(1, { permissions: [{ action: 'read', resource: '*' }] });
  expect(
    planned({ ...usual, tokens: [any] }, { ...database, database: 'quality' }).secrets,
  ).toEqual([TELEGRAF]);
});

test('refuses to freeze what neither its description has room to keep, nor the policy says, unless nothing is to be undone', () => {
  const permissions = Array.from({ length: 200 }, (_, n) => ({
    action: 'write',
    resource: `database-${n}-of-many`,
  }));
  const write = permissions.map(({ resource }) => resource);
  const said = {
    ...usual,
    tokens: [armed(1, { permissions })],
    policy: policyOf({ tokens: { telegraf: { permissions: { write } } } }),
  };
  expect(steps(said, { way: 'freeze' })).toEqual(['hold frozen', 'strip 1']);
  const around = { ...said, policy: policyOf({ tokens: {} }) };
  const freeze = { token: undefined, tokenId: id(1), way: 'freeze' } as const;
  expect(() => planned(around, freeze)).toThrow(`no room for the permissions of ${id(1)}`);
  expect(planned(around, { ...freeze, dryRun: true }).actions).toHaveLength(2);
  expect(steps(around, { ...freeze, noUndo: true })).toEqual(['hold frozen', 'strip 1']);
});

test('whois of a token that is gone proves nothing anew in its secret', () => {
  const gone = { ...old, revokedAt: NOW - HOUR };
  const around = { secret: secretOf({ AWSCURRENT: 1 }), tokens: [gone] };
  const { warnings } = planned(around, { token: undefined, tokenId: id(1), way: 'whois' });
  expect(warnings.join()).toContain(id(1));
  expect(warnings.join()).not.toContain('is proven anew');
});

test('ends what has the place of its token without its marker, and says so', () => {
  const around = { secret: secretOf({ AWSCURRENT: 7 }), tokens: [foreign(7)] };
  expect(steps(around, {})).toEqual(['replace', 'delete 7']);
  expect(planned(around, {}).warnings).toEqual([
    expect.stringMatching(`^${id(7)} does not have our marker, and a version of ${TELEGRAF} has`),
  ]);
});
