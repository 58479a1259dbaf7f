import { EchoError } from '../management-api/influx-error.ts';
import type { Permission, Token } from '../management-api/token.ts';
import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { grantsHash } from './marker.ts';
import { endingOf } from './proof.ts';

/**
 * Takes away what a proof gave to a token, and its trace in the description, in one request. Gives nothing:
 * all other permissions are those of a `GET` right before it.
 * @param given the permission, if this run gave it; otherwise the marker shows which it is
 * @throws EchoError if the answer shows other permissions than were asked for
 */
export async function endProof(
  { token: { id } }: { readonly token: Pick<Token, 'id'> },
  { api }: Pick<Tools, 'api'>,
  given?: Permission,
): Promise<Extract<Result, 'done' | 'skipped'>> {
  const token = await api.getToken(id);
  const change = token && token.revokedAt === undefined ? endingOf(token, given) : undefined;
  if (!change) return 'skipped';
  const { permissions } = await api.updateToken(id, change);
  if (change.permissions && grantsHash(permissions) !== grantsHash(change.permissions)) {
    throw new EchoError(`PATCH /tokens/${id} answered with other permissions than asked for`);
  }
  return 'done';
}
