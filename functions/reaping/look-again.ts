import type { Tools } from '../run/tools.ts';
import {
  needsVersionTimes,
  refuseForeignSecret,
  refuseOtherCluster,
} from '../tokens/claim-secret.ts';
import {
  type Observation,
  type ObservedSecret,
  secretNamedIn,
  sortByOwner,
} from '../tokens/observation.ts';
import { observeSecret } from '../tokens/observe.ts';
import { youngVersions } from '../tokens/young-versions.ts';

/** Whether `reap` must know when a secret's versions were made: also before it quarantines a token. */
export const needsTimes = (seen: ObservedSecret): boolean =>
  needsVersionTimes(seen) || seen.tokens.some(({ marker }) => marker.fenced !== undefined);

/**
 * Reads a secret again right before acting on it. `tokenId`: a token, ours or not, that is read again, too; the others
 * are as they were listed. Undefined: no secret has the name any more.
 */
export async function lookAgain(
  { secret: { name }, tokens }: ObservedSecret,
  observation: Observation,
  tools: Tools,
  tokenId?: string,
): Promise<ObservedSecret | undefined> {
  const { api, policy } = tools;
  const { owner } = policy;
  const secretNamed = secretNamedIn(observation);
  const token = tokenId === undefined ? undefined : await api.getToken(tokenId);
  // After the token: a hold, or a roll back, is what must not be missed.
  const secret = await tools.secrets.describe(name);
  if (!secret) return undefined;
  refuseForeignSecret(secret, policy);
  refuseOtherCluster(secret, policy);
  const again = sortByOwner(token ? [token] : [], owner, (named) =>
    named === name ? secret : secretNamed(named),
  );
  const others = tokens.filter((each) => each.token.id !== tokenId);
  const owned = new Map([[name, [...others, ...(again.owned.get(name) ?? [])]]]);
  const foreign = new Map([...observation.foreign, ...again.foreign]);
  if (tokenId !== undefined && !again.foreign.has(tokenId)) foreign.delete(tokenId);
  const { revoked } = observation;
  const isYoung = youngVersions(tools.secrets, tools.apiNow());
  const sources = { owned, foreign, revoked, api, owner, secretNamed, isYoung };
  return observeSecret(secret, sources, tools.secrets, needsTimes);
}
