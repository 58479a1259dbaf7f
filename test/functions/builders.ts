import { expect } from 'vitest';
import type { Permission, Token } from '../../functions/management-api/token.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import type { Policy } from '../../functions/policy/policy.ts';
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
  type OwnedToken,
} from '../../functions/tokens/observation.ts';

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

/** Token ids and version ids, readable in a failing test. */
export const id = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;

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

/** A secret as Keyturn makes it. Labels name versions by the number of their token. */
export function secretOf(
  labels: Readonly<Record<string, number>> = {},
  { name = TELEGRAF, ...more }: Partial<Secret> = {},
): Secret {
  return {
    name,
    arn: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`,
    labels: Object.fromEntries(Object.entries(labels).map(([label, n]) => [label, id(n)])),
    tags: { [OWNER_TAG]: OWNER, [CLUSTER_TAG]: URL },
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

/** Stored and given its permissions. */
export function armed(n: number, { marker, ...options }: TokenOptions = {}): Token {
  const fields = { id: id(n), fp: '0123456789abcdef', grants: grantsHash(WRITE) };
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
}

/** What `observe` makes of such a world, told apart without asking anybody. */
export function observationOf(world: World): Observation {
  const { secrets = [], tokens = [], databases, at = NOW } = world;
  const alive = tokens.filter(({ revokedAt }) => revokedAt === undefined);
  const owned = alive.flatMap(
    (token) => asOwned(token, OWNER, (name) => secrets.find((each) => each.name === name)) ?? [],
  );
  const foreigners = alive.filter((token) => !owned.some((each) => each.token === token));
  const holderOf = (version: string, its: readonly OwnedToken[]): Holder => {
    const mine = its.find((each) => each.version === version);
    const token = foreigners.find((each) => each.id === version);
    if (mine) return { state: 'owned', owned: mine };
    return token ? { state: 'foreign', token } : { state: 'gone' };
  };
  const observed = secrets.map((secret) => {
    const its = owned.filter(({ marker }) => marker.secret === secret.name);
    const versions = [secret.labels.AWSCURRENT, pendingVersion(secret)].flatMap((v) => v ?? []);
    const holders = new Map(versions.map((version) => [version, holderOf(version, its)]));
    return [secret.name, { secret, tokens: its, holders }] as const;
  });
  return {
    at,
    skewMs: 0,
    secrets: new Map(observed),
    foreign: new Map(foreigners.map((token) => [token.id, token])),
    ...(databases && { databases: new Set(databases) }),
  };
}

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
