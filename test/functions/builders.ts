import { expect } from 'vitest';
import type { Permission, Token } from '../../functions/management-api/token.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import type { Learnt } from '../../functions/rotation/plan/plan-rotation.ts';
import type { Job, Plan } from '../../functions/run/plan.ts';
import {
  CLUSTER_TAG,
  OWNER_TAG,
  pendingVersion,
  type Secret,
} from '../../functions/secrets-manager/secret.ts';
import { describeToken, grantsHash, homeOf, type Marker } from '../../functions/tokens/marker.ts';
import {
  asOwned,
  type Holder,
  type Observation,
  type ObservedSecret,
  type OwnedToken,
} from '../../functions/tokens/observation.ts';
import { tokenNamedBy, versionIdOf } from '../../functions/tokens/version-id.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A Monday. */
export const NOW = Date.parse('2026-03-02T12:00:00Z');
export const OWNER = 'prod';
export const URL = 'https://influxdb.example.com';
export const TELEGRAF = 'keyturn/prod/telegraf';
export const WRITE: readonly Permission[] = [{ action: 'write', resource: 'telemetry' }];

/** Token ids, readable in a failing test. As a version's id it is one of Keyturn 0.1, or of the console. */
export const id = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;
/** The version that Keyturn puts for a token. */
export const version = (n: number) => versionIdOf(id(n));

const telegraf = { permissions: { write: ['telemetry'] } };

/** A policy with one token, `telegraf`, that may write a declared database, unless told otherwise. */
export function policyOf(document: object = {}, entry: object = {}): Policy {
  return parsePolicy({
    owner: OWNER,
    cluster: { url: URL, managementToken: 'influxdb/management' },
    tokens: { telegraf: { ...telegraf, ...entry } },
    databases: [{ name: 'telemetry' }],
    ...document,
  });
}

/** Labels by the number of the token for which Keyturn put the version, or by the version's own id. */
export type Labels = Readonly<Record<string, number | string>>;

const versionUnder = (label: number | string) =>
  typeof label === 'number' ? version(label) : label;

/** A secret as Keyturn makes it. */
export function secretOf(
  labels: Labels = {},
  { name = TELEGRAF, ...more }: Partial<Secret> = {},
): Secret {
  return {
    name,
    arn: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`,
    labels: Object.fromEntries(
      Object.entries(labels).map(([label, n]) => [label, versionUnder(n)]),
    ),
    tags: { [OWNER_TAG]: OWNER, [CLUSTER_TAG]: URL },
    changedAt: NOW - DAY,
    replica: false,
    ...more,
  };
}

interface TokenOptions {
  readonly age?: number;
  readonly permissions?: readonly Permission[];
  readonly expiresAt?: number;
  readonly name?: string;
  readonly marker?: Partial<Marker>;
}

const markerOf = (name: string): Marker => ({
  owner: OWNER,
  secret: name,
  home: homeOf(secretOf({}, { name }).arn),
});

/** Minted and nothing more. */
export function inert(n: number, options: TokenOptions = {}): Token {
  const { age = 0, permissions = [], name = TELEGRAF, marker } = options;
  const createdAt = NOW - age;
  return {
    id: id(n),
    description: describeToken('telegraf', { ...markerOf(name), ...marker }),
    permissions,
    createdAt,
    expiresAt: options.expiresAt ?? createdAt + 90 * DAY,
  };
}

/** The fingerprint of a token's string. */
export const fingerprint = (n: number) => n.toString(16).padStart(16, '0');

/** Stored, given its permissions and, unless it waits, promoted, as soon as it was minted. */
export function armed(
  n: number,
  { marker, waits, ...options }: TokenOptions & { readonly waits?: boolean } = {},
): Token {
  const fields = {
    id: id(n),
    fp: fingerprint(n),
    grants: grantsHash(WRITE),
    armed: NOW - (options.age ?? 0),
    ...(!waits && { promoted: NOW - (options.age ?? 0) }),
  };
  return inert(n, { permissions: WRITE, ...options, marker: { ...fields, ...marker } });
}

/** Somebody else's. */
export const foreign = (n: number, options: Partial<Token> = {}): Token => ({
  id: id(n),
  description: 'of others',
  permissions: WRITE,
  createdAt: NOW - DAY,
  expiresAt: NOW + DAY,
  ...options,
});

export interface World {
  readonly secrets?: readonly Secret[];
  readonly tokens?: readonly Token[];
  readonly databases?: readonly string[];
  readonly at?: number;
  /** By version id: the token whose string a version has where neither its id nor a marker says so, or none. `unshown`: the cluster does not show its token yet. */
  readonly strings?: Readonly<Record<string, number | 'empty' | 'unshown' | 'unreadable'>>;
  /** When versions were made, by their id. Absent: nobody asked. */
  readonly versionTimes?: Readonly<Record<string, number>>;
}

const WITHOUT_STRING: Readonly<Record<'empty' | 'unshown' | 'unreadable', Holder>> = {
  empty: { state: 'empty' },
  unshown: { state: 'unknown' },
  unreadable: { state: 'unknown', isUnreadable: true },
};

/** Whose string a version has; `tokens` are those of its secret, `others` those of other secrets of ours. */
function holderOf(
  versionId: string,
  tokens: readonly OwnedToken[],
  others: readonly OwnedToken[],
  {
    foreign: foreigners,
    strings,
    tokens: all,
  }: { readonly foreign: Observation['foreign'] } & World,
): Holder {
  const named = tokenNamedBy(versionId);
  const mine = tokens.find((each) => each.token.id === named?.tokenId);
  if (mine) return { state: 'owned', owned: mine };
  const token = foreigners.get(named?.tokenId ?? '');
  if (token) return { state: 'foreign', token };
  if (named?.certain) return { state: strings?.[versionId] === 'unshown' ? 'unshown' : 'gone' };
  const [claims, another] = tokens.filter(({ versions }) => versions.includes(versionId));
  if (claims && !another) return { state: 'owned', owned: claims };
  const isRevoked = ({ id: tokenId, revokedAt }: Token) =>
    tokenId === named?.tokenId && revokedAt !== undefined;
  if (!claims && all?.some(isRevoked)) return { state: 'gone' };
  const n = strings?.[versionId];
  if (typeof n !== 'number') return WITHOUT_STRING[n ?? 'unshown'];
  // A string is known by its fingerprint alone.
  const hasIt = ({ token, marker }: OwnedToken) => token.id === id(n) && marker.fp !== undefined;
  const owned = tokens.find(hasIt);
  if (owned) return { state: 'owned', owned };
  const shared = others.find(hasIt);
  return shared ? { state: 'shared', owned: shared } : { state: 'unknown' };
}

/** What `observe` makes of such a world, told apart without asking anybody. */
export function observationOf(world: World): Observation {
  const { secrets = [], tokens = [], databases, at = NOW, versionTimes } = world;
  const byName = new Map(secrets.map((secret) => [secret.name, secret]));
  const alive = tokens.filter(({ revokedAt }) => revokedAt === undefined);
  const owned = alive.flatMap((token) => asOwned(token, OWNER, (name) => byName.get(name)) ?? []);
  const ours = new Set(owned.map(({ token }) => token));
  const foreigners = new Map(alive.flatMap((each) => (ours.has(each) ? [] : [[each.id, each]])));
  const bySecret = Map.groupBy(owned, ({ marker }) => marker.secret);
  const observed = secrets.map((secret) => {
    const its = bySecret.get(secret.name) ?? [];
    const { AWSCURRENT, AWSPREVIOUS } = secret.labels;
    const watched = [AWSCURRENT, AWSPREVIOUS, pendingVersion(secret)].flatMap((v) => v ?? []);
    const about = { ...world, foreign: foreigners };
    const holders = new Map(watched.map((v) => [v, holderOf(v, its, owned, about)]));
    const times = versionTimes && { versionTimes: new Map(Object.entries(versionTimes)) };
    return [secret.name, { secret, tokens: its, holders, ...times }] as const;
  });
  return {
    at,
    skewMs: 0,
    secrets: new Map(observed),
    foreign: foreigners,
    ...(databases && { databases: new Set(databases) }),
  };
}

/** What the only secret of a world looks like. */
export function seenIn(world: World): ObservedSecret {
  const [seen] = observationOf(world).secrets.values();
  if (!seen) throw new Error('there is no secret');
  return seen;
}

/** What a run has learnt that need not ask anybody; the schedule fires every hour. */
export const LEARNT: Learnt = { refused: new Set(), thirdMs: 3 * HOUR };

/** A plan's actions, short enough to compare whole plans: `resume Due 2`, `recognise SavedByPerson 1`. */
export const stepsOf = ({ actions }: { readonly actions: readonly object[] }): string[] =>
  actions.map((action) => {
    const { kind, reason, tokenId } = { ...action } as Record<string, string>;
    return [kind, reason, tokenId && Number(tokenId.slice(0, 8))].filter(Boolean).join(' ');
  });

type Shown = Omit<Partial<Plan<object>>, 'job' | 'owner' | 'cluster'>;

/** What a plan shows of a limit that it keeps; nothing, if nothing counts. */
export const within = (counted: number, allowed = 3): Plan<object>['limits'] =>
  counted === 0 ? [] : [{ message: expect.stringMatching(`^${counted} `), counted, allowed }];

/** A whole plan, of which only what differs from the empty one is said. */
export const planOf = (job: Job, shown: Shown = {}) => ({
  job,
  owner: OWNER,
  cluster: URL,
  actions: [],
  findings: [],
  limits: [],
  refusals: [],
  ...shown,
});
