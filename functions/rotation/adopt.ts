import type { Permission } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { BareOutcome, Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf, holdSince } from '../secrets-manager/hold.ts';
import { formatInstant } from '../time.ts';
import { adoptedOf, adoptedTag } from '../tokens/adopted-tag.ts';
import { freshToken } from '../tokens/change-token.ts';
import { tagsOf } from '../tokens/claim-secret.ts';
import { endProof } from '../tokens/end-proof.ts';
import { grantsHash } from '../tokens/marker.ts';
import { isUnproven, lastingPermissions, leftOfProof, without } from '../tokens/proof.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { AdoptionError, type Candidate, isBelieved, readCandidate } from './adoption-candidate.ts';
import { lackedPermission } from './plan/lacked-permission.ts';
import type { Adoption } from './plan/rotation-action.ts';
import { awaitProof, beginProof, type Proof } from './prove.ts';

/** An entry and its action in the plan. */
interface Planned {
  readonly entry: TokenPolicy;
  readonly action: Adoption;
}

/** A candidate, and how it is proven. No proof: it is believed already, or a person confirmed it. */
interface Begun {
  readonly candidate: Candidate;
  readonly proof?: Proof;
}

/** Checks everything, and gives the permission for the proof. */
async function begin({ entry, action }: Planned, tools: ArmingTools): Promise<Begun | BareOutcome> {
  const candidate = await readCandidate(entry, action, tools);
  if ('result' in candidate) return candidate;
  if (isBelieved(candidate)) return { candidate };
  const { token } = candidate.owned;
  const permission = lackedPermission(token.id, lastingPermissions(candidate.owned));
  const proof = permission && (await beginProof(candidate, permission, tools));
  if (proof === 'lost') return { result: 'skipped' };
  if (proof && !('refusal' in proof)) return { candidate, proof };
  if (action.confirmedBy !== undefined) return { candidate };
  const why = proof
    ? `the cluster did not take the permission and the description that a proof needs (${proof.refusal}), and nothing was changed: if it is the length, a shorter text in the description helps`
    : 'it may read and write everything, so no permission can show it';
  throw new AdoptionError(
    `token ${token.id} cannot be proven to be the one whose string is in ${entry.secret}: ${why}; ` +
      `if you know that it is: keyturn adopt ${entry.name} --confirm`,
  );
}

/** Whether the secret is still as it was when the proof began. */
async function isStill(
  { secret, version }: Candidate,
  tools: Tools,
): Promise<BareOutcome | undefined> {
  const now = await tools.secrets.describe(secret.name);
  if (now && holdOf(now)) return { result: 'held', heldSince: holdSince(now) };
  const isSame = now?.arn === secret.arn && now.labels.AWSCURRENT === version;
  return isSame ? undefined : { result: 'skipped' };
}

/** When it was taken over first: people's tools take markers off again. */
function adoptedAt({ secret, owned: { token, marker } }: Candidate, { apiNow }: Tools): number {
  const before = adoptedOf(secret);
  const isSame = before?.tokenId === token.id;
  return marker.adopted ?? (isSame ? before.at : apiNow());
}

/**
 * Writes that the string is the token's, and takes the permission of the proof away in the same request.
 * From then on the version names its token.
 */
async function believe(
  { owned, version, value }: Candidate,
  { given, since }: { readonly given: Permission | undefined; readonly since: number },
  tools: ArmingTools,
): Promise<Result> {
  const fresh = given ? await freshToken(tools, owned) : owned;
  // Another run was faster: it took the proof away, or wrote what is written here.
  if (!fresh) return 'lost';
  if (given && !isUnproven(fresh.marker)) return 'done';
  const { permissions } = fresh.token;
  const kept = given ? without(permissions, given) : permissions;
  const marker = {
    version: [version],
    fp: value.fingerprint(),
    grants: grantsHash(kept),
    adopted: fresh.marker.adopted ?? since,
    proven: tools.apiNow(),
    proving: undefined,
  };
  await tools.arm(fresh, {
    marker,
    ...(kept.length < permissions.length && { permissions: kept }),
  });
  return 'done';
}

async function finish(
  { entry, action }: Planned,
  { candidate, proof }: Begun,
  tools: ArmingTools,
): Promise<BareOutcome> {
  if (proof && (await awaitProof(candidate, proof, tools)) === 'postponed') {
    return { result: 'postponed' };
  }
  const changed = await isStill(candidate, tools);
  if (changed) {
    if (proof) await endProof(candidate.owned, tools, proof.permission);
    return changed;
  }
  const isConfirmed = !proof && !isBelieved(candidate);
  const since = adoptedAt(candidate, tools);
  if (proof || isConfirmed) {
    const result = await believe(candidate, { given: proof?.permission, since }, tools);
    if (result !== 'done') return { result };
  }
  const { secret, owned, value } = candidate;
  const left = leftOfProof(owned);
  if (left) await endProof(owned, tools, left);
  const { token } = owned;
  await tools.secrets.tag(secret.name, {
    ...tagsOf(tools.policy),
    ...adoptedTag({ tokenId: token.id, fp: value.fingerprint(), at: since }),
  });
  tools.publish({
    type: 'Token Adopted',
    detail: {
      token: entry.name,
      secret: secret.name,
      tokenId: token.id,
      ...(isConfirmed &&
        action.confirmedBy !== undefined && {
          confirmedBy: action.confirmedBy,
          confirmedAt: formatInstant(tools.apiNow()),
        }),
    },
  });
  // What was adopted before only has its tag back: how it is with its token, the run has seen.
  const isShown = proof !== undefined || isConfirmed;
  return { result: 'done', ...(isShown && { current: { token, since } }) };
}

/**
 * Takes over an existing token and its secret without rotating them, after it was shown that the string in
 * the secret is the token's. The secret is tagged last: until then it is not ours and the token is foreign, so
 * that no schedule ends it. `start` limits how many are begun at the same time.
 * @throws AdoptionError, OwnershipError, OutsiderError or SecretShapeError; nothing is taken from anybody then
 */
export async function adoptToken(
  planned: Planned,
  start: <T>(work: () => Promise<T>) => Promise<T>,
  tools: Tools,
): Promise<BareOutcome> {
  const { result: outcome, holdError } = await underHold(
    planned.entry.secret,
    tools,
    async (arming) => {
      const begun = await start(() => begin(planned, arming));
      return 'result' in begun ? begun : finish(planned, begun, arming);
    },
  );
  return { ...outcome, ...(holdError && { error: holdError }) };
}
