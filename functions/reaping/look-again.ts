import type { Tools } from '../run/tools.ts';
import {
  needsVersionTimes,
  refuseForeignSecret,
  refuseOtherCluster,
} from '../tokens/claim-secret.ts';
import {
  type Observation,
  type ObservedSecret,
  type OwnedToken,
  secretNamedIn,
} from '../tokens/observation.ts';
import { observeSecret } from '../tokens/observe.ts';
import { youngVersions } from '../tokens/young-versions.ts';

/** Whether `reap` must know when a secret's versions were made: also before it quarantines a token. */
export const needsTimes = (seen: ObservedSecret): boolean =>
  needsVersionTimes(seen) || seen.tokens.some(({ marker }) => marker.fenced !== undefined);

/**
 * Reads a secret again right before acting on it. `fresh`: one of its tokens that was read again, too; the
 * others are as they were listed. Undefined: no secret has the name any more.
 */
export async function lookAgain(
  { secret: { name }, tokens }: ObservedSecret,
  observation: Observation,
  tools: Tools,
  fresh?: OwnedToken,
): Promise<ObservedSecret | undefined> {
  const secret = await tools.secrets.describe(name);
  if (!secret) return undefined;
  refuseForeignSecret(secret, tools.policy);
  refuseOtherCluster(secret, tools.policy);
  const { api, policy } = tools;
  const its = tokens.map((each) => (each.token.id === fresh?.token.id ? fresh : each));
  const owned = new Map([[name, its]]);
  const { foreign, revoked } = observation;
  const isYoung = youngVersions(tools.secrets, tools.apiNow());
  const { owner } = policy;
  const secretNamed = secretNamedIn(observation);
  const sources = { owned, foreign, revoked, api, owner, secretNamed, isYoung };
  return observeSecret(secret, sources, tools.secrets, needsTimes);
}
