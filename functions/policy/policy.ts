import type { Permission } from '../management-api/token.ts';
import { DAY_MS, HOUR_MS } from '../time.ts';
import type { Document } from './schemas/document.ts';
import type { Window } from './window.ts';

/** Beginning of the name of a secret whose entry sets none. The role of `reap` covers it even without an entry. */
export const secretPrefix = (owner: string) => `keyturn/${owner}/`;

type Cluster = Document['cluster'];

/** A client of an identity provider whose tokens the cluster takes for management tokens. */
export type OAuthClient = NonNullable<Cluster['oauth']>;

/** One of the policy's `databases`. */
export type DatabaseRule = Document['databases'][number];
export type NamedDatabaseRule = Extract<DatabaseRule, { readonly name: string }>;

/** Where a policy names the secret that lets the functions in: with the management token, or with an OAuth client's secret. */
export const managementSecretPath = ({ oauth }: Pick<Cluster, 'oauth'>): readonly string[] =>
  oauth ? ['cluster', 'oauth', 'clientSecret'] : ['cluster', 'managementToken'];

/** Name or ARN of that secret. */
export const managementSecret = ({
  managementToken = '', // a checked policy has one of the two
  oauth,
}: Pick<Cluster, 'managementToken' | 'oauth'>): string => oauth?.clientSecret ?? managementToken;

/** Whether what goes there can be read on the way; nothing to a loopback address leaves the machine. */
export function sendsUnencrypted(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** When a token is rotated, expires and is retired; durations in milliseconds. */
export interface Lifetimes {
  readonly rotateEvery: number;
  readonly renewBefore: number;
  /** Absent: minted without an expiry. */
  readonly expiresAfter?: number;
  readonly gracePeriod: number;
  readonly quarantine: number;
  readonly windows: readonly Window[];
}

export const DEFAULT_LIFETIMES = {
  rotateEvery: 30 * DAY_MS,
  renewBefore: 14 * DAY_MS,
  expiresAfter: 90 * DAY_MS,
  gracePeriod: 24 * HOUR_MS,
  quarantine: 7 * DAY_MS,
  windows: [],
} as const;

/** One entry of the policy's `tokens`, with its defaults. */
export interface TokenPolicy extends Lifetimes {
  readonly name: string;
  /** Name of its secret. It identifies the entry in markers, actions and findings. */
  readonly secret: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly adopt?: { readonly tokenId: string; readonly key?: string | undefined };
}

/** Where a secret is to have a replica. */
export interface ReplicaRegion {
  /** `eu-central-1` */
  readonly region: string;
  /** KMS key ARN or alias, of that Region; absent: AWS's own key there. */
  readonly encryptionKey?: string | undefined;
}

/** A checked policy with its defaults; durations in milliseconds. */
export interface Policy extends Omit<Document, 'tokens' | 'defaults'> {
  /** Name of the policy file, as plans show it. */
  readonly file: string;
  /** For owned tokens whose entry left the policy. */
  readonly defaults: Lifetimes;
  readonly tokens: readonly TokenPolicy[];
  /** What secrets that Keyturn creates are tagged with beside its own tags; the deployment says it. */
  secretTags?: Readonly<Record<string, string>>;
  /** With what the app says in place of the file. Absent: the file alone is known. */
  isDeployed?: true;
  /** Where secrets that Keyturn creates get replicas; the deployment says it. Absent: nobody looks after replicas. */
  replicaRegions?: readonly ReplicaRegion[] | undefined;
}

type Entries = Pick<Policy, 'tokens'>;

const entries = new WeakMap<Entries, ReadonlyMap<string, TokenPolicy>>();

/** The entry that has this secret. Undefined: no entry has it, or it left the policy. */
export function entryOf(policy: Entries, secret: string): TokenPolicy | undefined {
  const known = entries.get(policy) ?? new Map(policy.tokens.map((each) => [each.secret, each]));
  entries.set(policy, known);
  return known.get(secret);
}

/** Whether Keyturn names an entry's secret itself, and so makes it: of any other nobody can tell who made it. */
export const isNamedByKeyturn = (
  { owner }: Pick<Policy, 'owner'>,
  { secret, adopt }: Pick<TokenPolicy, 'secret' | 'adopt'>,
): boolean => !adopt && secret.startsWith(secretPrefix(owner));

/** Where an entry's secret is to have replicas. Undefined: nobody looks after its replicas. */
export const replicaRegionsOf = (
  policy: Pick<Policy, 'owner' | 'replicaRegions'>,
  entry: Pick<TokenPolicy, 'secret' | 'adopt'>,
): readonly ReplicaRegion[] | undefined =>
  isNamedByKeyturn(policy, entry) ? policy.replicaRegions : undefined;

/** The databases that rules name; not those that only a glob matches. */
export const namedDatabases = ({ databases }: Pick<Policy, 'databases'>): readonly string[] =>
  databases.flatMap((rule) => ('name' in rule ? [rule.name] : []));
