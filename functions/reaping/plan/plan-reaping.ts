import { entryOf, type Lifetimes, type Policy, secretPrefix } from '../../policy/policy.ts';
import { limitedPlan } from '../../run/limits.ts';
import type { Finding, Plan } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { otherClusterOf, REPLICAS_UNKNOWN } from '../../secrets-manager/secret.ts';
import { isMarkedByOthers } from '../../tokens/marker.ts';
import { countOwned, type Observation, type ObservedSecret } from '../../tokens/observation.ts';
import { overdueProofs } from '../../tokens/proof.ts';
import {
  isElsewhere,
  isExpired,
  isGone,
  isPreviousDead,
  isUnknown,
  mayHavePrevious,
  provenCurrent,
  versionTime,
} from '../../tokens/state.ts';
import { decideReaping, type ReapingContext } from './decide-reaping.ts';
import { takeInventory } from './inventory.ts';
import type { PreviousDetachment, ReapingAction } from './reaping-action.ts';

/** What decides the retirement of one secret's tokens: its entry, or the defaults after the entry left the policy. */
export function reapingContext(policy: Policy, secret: string, now: number): ReapingContext {
  const entry = entryOf(policy, secret);
  const lifetimes: Lifetimes = entry ?? policy.defaults;
  return { now, lifetimes, retire: !entry && policy.onRemoval === 'retire' };
}

/**
 * Whether AWSPREVIOUS has a string that nobody knows, or another cluster's, and whoever reads AWSCURRENT has had its
 * token for two grace periods.
 */
function isLongUnknown(seen: ObservedSecret, { now, lifetimes }: ReapingContext): boolean {
  const isJudged = !isUnknown(seen, 'AWSPREVIOUS') && !isElsewhere(seen, 'AWSPREVIOUS');
  if (isJudged || !provenCurrent(seen, now)) return false;
  const madeAt = versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');
  return madeAt !== undefined && now - madeAt >= 2 * lifetimes.gracePeriod;
}

/**
 * R18: the version that AWSPREVIOUS is to be taken off, because nobody should roll back to it. One whose token died keeps
 * it for a grace period: while consumers may have that token, the label is all that tells `rotate` of it (`cut-short`).
 */
export function previousToDetach(
  seen: ObservedSecret,
  context: ReapingContext,
): Pick<PreviousDetachment, 'version' | 'reason'> | undefined {
  const { labels, deletedAt, replica } = seen.secret;
  const { AWSPREVIOUS: version } = labels;
  if (version === undefined || version === labels.AWSCURRENT) return undefined;
  if (deletedAt !== undefined || replica || holdOf(seen.secret) !== undefined) return undefined;
  // In place of what nobody knows a new version takes the shape of this one's text.
  const isNeeded = isUnknown(seen, 'AWSCURRENT');
  if (!isNeeded && isPreviousDead(seen, context.now)) {
    const isMissed = mayHavePrevious(seen, context.lifetimes, context.now);
    return isMissed ? undefined : { version, reason: 'PreviousDead' };
  }
  return isLongUnknown(seen, context) ? { version, reason: 'UnknownVersion' } : undefined;
}

const READ_LABELS = ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'] as const;

/**
 * R19: the labels whose strings are not known to be dead, of the secret of a removed entry that has no tokens left.
 * None: it is deleted. A listing that lacks its tokens looks the same, so that it shows none is no reason.
 * Undefined: it is not such a secret.
 */
export function labelsThatKeep(
  seen: ObservedSecret,
  { retire }: ReapingContext,
): readonly string[] | undefined {
  const { secret, tokens } = seen;
  const { labels, deletedAt, replica } = secret;
  const forbidden = deletedAt !== undefined || replica || holdOf(secret) !== undefined;
  if (!retire || tokens.length > 0 || forbidden) return undefined;
  return READ_LABELS.filter((label) => labels[label] !== undefined && !isGone(seen, label));
}

const secretKept = (secret: string, labels: readonly string[]): Finding => ({
  kind: 'SecretKept',
  secret,
  message:
    `its entry was removed and no token of it is listed, but what ${labels.join(' and ')} has may work; ` +
    'once no consumer reads it, delete it by hand (aws secretsmanager delete-secret)',
});

/** R19: AWS deletes no secret with replicas, and takes those away at once and for good: a person decides that. */
const replicated = (secret: string, regions: readonly string[]): Finding => ({
  kind: 'SecretReplicated',
  secret,
  message:
    `its entry was removed and its tokens are gone, but it has replicas in ${regions.join(', ')}, with which AWS deletes no secret; ` +
    `once no consumer there reads it: aws secretsmanager remove-regions-from-replication --secret-id ${secret} --remove-replica-regions ${regions.join(' ')}; ` +
    'that deletes the replicas at once and for good, and the next reap deletes the secret',
});

/** R19: unknown is not none, and the run fails, so that somebody is told. A deletion that AWS may refuse is not planned. */
const unknownReplicas = (secret: string, unreadable: string): Finding => ({
  kind: REPLICAS_UNKNOWN,
  secret,
  message:
    'its entry was removed and its tokens are gone, but nobody knows whether it has replicas, with which AWS deletes no secret: ' +
    `it could not be described (secretsmanager:DescribeSecret): ${unreadable}; it is kept until that works`,
});

/** Why a secret is not deleted: the Regions of its replicas, or why nobody knows them. */
export type Undeletable = readonly string[] | { readonly unreadable: string };

const undeletable = (secret: string, why: Undeletable): Finding =>
  'unreadable' in why ? unknownReplicas(secret, why.unreadable) : replicated(secret, why);

/** @param isKept Secrets Manager would not delete it, or nobody knows whether it would */
function planSecret(
  seen: ObservedSecret,
  context: ReapingContext,
  isKept: boolean,
): ReapingAction[] {
  const { name } = seen.secret;
  const previous = previousToDetach(seen, context);
  const actions: ReapingAction[] = previous
    ? [{ kind: 'detach-previous', secret: name, ...previous }]
    : [];
  for (const owned of seen.tokens) {
    const step = decideReaping(owned, seen, context);
    if (step) actions.push({ ...step, secret: name, tokenId: owned.token.id });
  }
  if (labelsThatKeep(seen, context)?.length === 0 && !isKept) {
    actions.push({ kind: 'delete-secret', secret: name, reason: 'Removed' });
  }
  return actions;
}

/** The role of `reap` covers the policy's secrets and those with its owner's prefix; AWS would refuse every other call. */
const isWithinReach = (policy: Policy, secret: string) =>
  entryOf(policy, secret) !== undefined || secret.startsWith(secretPrefix(policy.owner));

const outOfReach = (policy: Policy, secret: string): Finding => ({
  kind: 'OutOfReach',
  secret,
  message:
    `its tokens should be retired, but it is neither in the policy nor under ${secretPrefix(policy.owner)}; ` +
    'put its entry back until they are gone, or retire them by hand',
});

/** Only `rotate` moves a secret to another cluster; until then its tokens are not to be judged by this one. */
function ofOtherCluster(secret: string, other: string, policy: Policy): Finding {
  const remedy = entryOf(policy, secret)
    ? 'they wait until the plan of rotate that moves them is approved'
    : 'they are left alone, because no entry of the policy names it';
  return { kind: 'OtherCluster', secret, message: `its tokens are of ${other}; ${remedy}` };
}

/**
 * Whether an action ends a token while no other one is proven current. Orphans do not count, because they
 * never had a permission; nor does a deletion that a person's hold asks for.
 */
function endsUnproven(action: ReapingAction, { secrets, at }: Observation): boolean {
  if (action.kind !== 'quarantine' && action.kind !== 'delete') return false;
  if (action.reason === 'Orphan' || action.reason === 'HoldDeleted') return false;
  const seen = secrets.get(action.secret);
  const successor = seen && provenCurrent(seen, at);
  return successor === undefined || successor.token.id === action.tokenId;
}

/**
 * Plans the retirement of tokens and secrets. Pure: same input, same plan, same hashes.
 * @param kept by the name of a secret that would be deleted: why it is not; a listing does not show replicas
 */
export function planReaping(
  policy: Policy,
  observation: Observation,
  kept: ReadonlyMap<string, Undeletable> = new Map(),
): Plan<ReapingAction> {
  const { at, secrets, foreign } = observation;
  const findings = takeInventory(policy, observation);
  const actions = [...secrets.values()].flatMap((seen) => {
    const { name } = seen.secret;
    const other = otherClusterOf(seen.secret, policy.cluster.url);
    if (other !== undefined) {
      findings.push(ofOtherCluster(name, other, policy));
      return [];
    }
    const context = reapingContext(policy, name, at);
    const why = kept.get(name);
    const planned = planSecret(seen, context, why !== undefined);
    if (why) findings.push(undeletable(name, why));
    const keeping = labelsThatKeep(seen, context) ?? [];
    if (keeping.length > 0) findings.push(secretKept(name, keeping));
    if (planned.length === 0 || isWithinReach(policy, name)) return planned;
    findings.push(outOfReach(policy, name));
    return [];
  });
  const owned = [...secrets.values()].flatMap(({ tokens }) => tokens.map(({ token }) => token));
  for (const { id } of overdueProofs([...owned, ...foreign.values()], policy.owner, at)) {
    actions.push({ kind: 'end-proof', tokenId: id, reason: 'ProofOverdue' });
  }
  if (policy.expiredForeignTokens === 'delete') {
    for (const token of foreign.values()) {
      // A token with another deployment's marker is left to the reap of that deployment.
      if (!isExpired(token, at) || isMarkedByOthers(token.description, policy.owner)) continue;
      actions.push({ kind: 'delete-foreign', tokenId: token.id, reason: 'ForeignExpired' });
    }
  }
  return limitedPlan({
    job: 'reap',
    policy,
    actions,
    findings,
    limits: [
      {
        isLimited: (action) => endsUnproven(action, observation),
        loss: {
          one: 'token would be taken away without a proven successor',
          many: 'tokens would be taken away without a proven successor',
        },
        total: countOwned(observation),
      },
      {
        isLimited: ({ kind }) => kind === 'delete-foreign',
        loss: {
          one: 'expired token of others would be deleted',
          many: 'expired tokens of others would be deleted',
        },
        total: foreign.size,
      },
    ],
  });
}
