import type { Permission } from '../management-api/token.ts';
import { formatDuration } from '../policy/duration.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import { freshToken, isRefused } from '../tokens/change-token.ts';
import { endProof } from '../tokens/end-proof.ts';
import { grantsHash } from '../tokens/marker.ts';
import {
  givenForProof,
  isSamePermission,
  isUnproven,
  lastingPermissions,
} from '../tokens/proof.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { AdoptionError, type Candidate } from './adoption-candidate.ts';
import { namedButLacked } from './plan/lacked-permission.ts';

/** A permission that a token got so that its string can be recognised by it. */
export interface Proof {
  readonly permission: Permission;
  /** Since when it has it, by the Management API's time. */
  readonly since: number;
}

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 30_000;
/** Kept of a run's time for what comes after the waiting. */
const RESERVE_MS = MINUTE_MS / 2;

const shown = ({ action, resource }: Permission) => `${action} ${resource}`;

/**
 * Probes a string for one permission on ten connections, each of which meets a router by chance. One router
 * that accepts it is enough: no other token got this permission in this moment.
 */
async function askTenRouters(
  value: TokenValue,
  { action, resource: database }: Permission,
  { dataPlane }: Tools,
): Promise<'accepted' | 'refused' | 'indeterminate'> {
  const probe = { action: action === 'write' ? ('write' as const) : ('read' as const), database };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => dataPlane.probe(value, probe)),
  );
  if (answers.includes('accepted')) return 'accepted';
  return answers.every((answer) => answer === 'refused') ? 'refused' : 'indeterminate';
}

/** The proof that an earlier run began with the same string, by the same permission. */
function begunProof({ owned, version }: Candidate, permission: Permission): Proof | undefined {
  const { proving, version: of } = owned.marker;
  const given = givenForProof(owned);
  const isIt = given !== undefined && isSamePermission(given, permission);
  return proving !== undefined && of?.includes(version) && isIt
    ? { permission, since: proving }
    : undefined;
}

/** Before: a string that may do what the token may not is another token's, and would prove nothing. */
async function refuseHolder(
  { value, secret, owned }: Candidate,
  permission: Permission,
  tools: Tools,
): Promise<void> {
  const named = namedButLacked(lastingPermissions(owned), tools.policy);
  for (const each of named ? [permission, named] : [permission]) {
    const { answer, detail } = await tools.dataPlane.burst(value, [each]);
    if (answer === 'refused') continue;
    throw new AdoptionError(
      answer === 'accepted'
        ? `the string in ${secret.name} may ${shown(each)}, which token ${owned.token.id} may not: it is another token's, or the cluster has not learnt of a change yet`
        : `the cluster did not say whether the string in ${secret.name} may ${shown(each)}; the next run asks again (${detail})`,
    );
  }
}

/** The server took neither the permission nor the description: nothing was changed. */
interface Unprovable {
  readonly refusal: string;
}

/**
 * Gives the token a permission that neither it nor the string has, or goes on with the one that an earlier
 * run gave. `lost`: somebody changed the token in this moment.
 * @throws AdoptionError before anything is given
 */
export async function beginProof(
  candidate: Candidate,
  permission: Permission,
  tools: ArmingTools,
): Promise<Proof | Unprovable | 'lost'> {
  const begun = begunProof(candidate, permission);
  if (begun) return begun;
  const { owned, version } = candidate;
  if (owned.marker.proving !== undefined) {
    // Of another string, or its permission cannot be told: the next run begins anew.
    await endProof(owned, tools);
    return 'lost';
  }
  await refuseHolder(candidate, permission, tools);
  const { id, description, permissions } = owned.token;
  const fresh = await tools.api.getToken(id);
  const had = grantsHash(permissions);
  if (fresh?.description !== description || grantsHash(fresh.permissions) !== had) return 'lost';
  const since = tools.apiNow();
  // Whose string the version has is not known yet: the first one goes again if that is not shown.
  const named = [version, ...(owned.marker.version ?? [])];
  const marker = { ...owned.marker, version: named, grants: had, proving: since };
  try {
    const given = [...permissions, permission];
    await tools.arm(owned, { marker, permissions: given, keepsText: true });
  } catch (error) {
    // It may have taken effect, wholly or by half.
    await endProof(owned, tools, permission);
    if (isRefused(error)) return { refusal: error.message };
    throw error;
  }
  return { permission, since };
}

/** Whether another run has proven the same string meanwhile, and has taken the permission away. */
async function isProvenByOthers({ value, owned }: Candidate, tools: Tools): Promise<boolean> {
  const marker = (await freshToken(tools, owned))?.marker;
  return marker?.fp === value.fingerprint() && !isUnproven(marker);
}

/**
 * Probes the string until it is accepted for the permission. `postponed`: this run ends before
 * `activationTimeout` does, and the next one goes on.
 * @throws AdoptionError after the permission was taken away, if it was not accepted in time
 */
export async function awaitProof(
  candidate: Candidate,
  { permission, since }: Proof,
  tools: Tools,
): Promise<'seen' | 'postponed'> {
  const { value, secret, owned } = candidate;
  const { token } = owned;
  const { activationTimeout } = tools.policy;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const answer = await askTenRouters(value, permission, tools);
    if (answer === 'accepted' || (await isProvenByOthers(candidate, tools))) return 'seen';
    if (tools.apiNow() >= since + activationTimeout) {
      await endProof({ token }, tools, permission);
      const what = answer === 'refused' ? 'is not accepted' : 'got no answer';
      throw new AdoptionError(
        `token ${token.id} got the permission to ${shown(permission)} for a proof, and the string in ${secret.name} ${what} for it within ${formatDuration(activationTimeout)}: ` +
          'it is another token’s, or the cluster needs longer (activationTimeout). The permission was taken away again',
      );
    }
    if (tools.now() + waitMs + RESERVE_MS >= tools.deadline) return 'postponed';
    await tools.sleep(waitMs);
  }
}
