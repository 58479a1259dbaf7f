import type { AwsState, SecretVersion } from '../../sandbox/aws/state.ts';
import type { ClusterState, StoredToken } from '../../sandbox/cluster/state.ts';
import { type Marker, readMarker } from '../world/marker.ts';

export interface SeenToken
  extends Pick<
    StoredToken,
    'id' | 'description' | 'permissions' | 'createdAt' | 'expiresAt' | 'revokedAt'
  > {
  /** Without fields where there is none. */
  readonly marker: Marker;
}

export interface SeenSecret {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Version ids by staging label. */
  readonly labels: Readonly<Record<string, string>>;
  readonly versions: readonly SecretVersion[];
}

/** What both servers truly hold at one instant, whatever they would answer. */
export interface View {
  readonly at: number;
  readonly tokens: ReadonlyMap<string, SeenToken>;
  /** Only secrets that have an owner. */
  readonly secrets: ReadonlyMap<string, SeenSecret>;
}

export function viewOf(cluster: ClusterState, aws: AwsState, at: number): View {
  const tokens = cluster.tokens.map((token): [string, SeenToken] => [
    token.id,
    { ...token, marker: readMarker(token.description)?.marker ?? {} },
  ]);
  const secrets = Object.values(aws.secrets)
    .filter(({ tags }) => tags['keyturn:owner'] !== undefined)
    .map(({ name, tags, versions }): [string, SeenSecret] => {
      const all = Object.values(versions);
      const labels = all.flatMap(({ id, stages }) => stages.map((stage) => [stage, id]));
      return [name, { name, tags, versions: all, labels: Object.fromEntries(labels) }];
    });
  return { at, tokens: new Map(tokens), secrets: new Map(secrets) };
}

export const isExpired = ({ expiresAt }: SeenToken, now: number) =>
  expiresAt !== undefined && expiresAt <= now;

export const isAlive = ({ revokedAt }: SeenToken) => revokedAt === undefined;

export const isArmed = ({ permissions }: SeenToken) => permissions.length > 0;

export const isOnHold = (secret: SeenSecret | undefined) =>
  secret?.tags['keyturn:hold'] !== undefined;

/** AWSPENDING on a version of no other label, whose token was never superseded or quarantined. */
export function pendingOf({ labels }: SeenSecret, tokens: View['tokens']): string | undefined {
  const { AWSPENDING: pending, AWSCURRENT, AWSPREVIOUS } = labels;
  if (pending === undefined || pending === AWSCURRENT || pending === AWSPREVIOUS) return undefined;
  const { superseded, quarantined } = tokens.get(pending)?.marker ?? {};
  return superseded === undefined && quarantined === undefined ? pending : undefined;
}
