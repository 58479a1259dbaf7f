import type { TokenPolicy } from '../policy/policy.ts';
import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { OWNER_TAG } from '../secrets-manager/secret.ts';
import { OwnershipError, refuseForeignSecret, tagsOf } from '../tokens/claim-secret.ts';
import {
  describeToken,
  grantsHash,
  homeOf,
  isMarked,
  type Marker,
  parseMarker,
} from '../tokens/marker.ts';
import { readTokenString } from '../tokens/secret-string.ts';

/** The token or the secret cannot be adopted as the entry says. */
export class AdoptionError extends Error {
  override readonly name = 'AdoptionError';
}

/**
 * Takes over an existing token and its secret without rotating them. The token is marked before the
 * secret is tagged: until the tag is there the token is foreign, and no run changes it.
 * @throws AdoptionError or OwnershipError before anything is changed
 */
export async function adoptToken(entry: TokenPolicy, tools: Tools): Promise<Result> {
  const { policy, api, secrets, dataPlane } = tools;
  const tokenId = entry.adopt?.tokenId ?? '';
  const secret = await secrets.describe(entry.secret);
  if (!secret) throw new AdoptionError(`no secret has the name ${entry.secret}`);
  if (secret.tags[OWNER_TAG] !== undefined) {
    refuseForeignSecret(secret, policy);
    return 'skipped'; // an earlier run adopted it, and the listing does not show that yet
  }
  const version = secret.labels.AWSCURRENT;
  const text = version && (await secrets.value(entry.secret, version));
  if (!text) throw new AdoptionError(`${entry.secret} has no current value to adopt`);
  const token = await api.getToken(tokenId);
  if (!token || token.revokedAt !== undefined) {
    throw new AdoptionError(`no token has the id ${tokenId}, or it is revoked`);
  }
  const value = readTokenString(entry, text);
  const [probe] = token.permissions.filter(({ action }) => action === 'read' || action === 'write');
  if (probe && (await dataPlane.probe(value, probeOf(probe))) !== 'accepted') {
    throw new AdoptionError(
      `the cluster does not accept the string in ${entry.secret} for what ${tokenId} may do`,
    );
  }
  const marker: Marker = {
    owner: policy.owner,
    secret: secret.name,
    home: homeOf(secret.arn),
    id: token.id,
    fp: value.fingerprint(),
    grants: grantsHash(token.permissions),
    version: [version],
    adopted: tools.apiNow(),
  };
  const own = parseMarker(token.description)?.marker;
  if (own?.owner !== marker.owner || own.home !== marker.home) {
    if (isMarked(token.description)) {
      throw new OwnershipError(`token ${tokenId} has the marker of another deployment`);
    }
    await api.updateToken(tokenId, { description: describeToken(token.description, marker) });
  }
  await secrets.tag(secret.name, tagsOf(policy));
  tools.publish({
    type: 'Token Adopted',
    detail: { token: entry.name, secret: secret.name, tokenId },
  });
  return 'done';
}

const probeOf = ({ action, resource }: { readonly action: string; readonly resource: string }) => ({
  action: action === 'write' ? ('write' as const) : ('read' as const),
  database: resource === '*' ? 'keyturn' : resource,
});
