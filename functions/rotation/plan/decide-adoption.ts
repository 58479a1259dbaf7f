import type { TokenPolicy } from '../../policy/policy.ts';
import type { ObservedSecret } from '../../tokens/observation.ts';
import { isUnproven } from '../../tokens/proof.ts';
import { ownedCurrent } from '../../tokens/state.ts';
import type { Adoption } from './rotation-action.ts';

/** Which token an entry takes over: the one that it names, or the one that was taken over and is not yet proven. */
function tokenToAdopt({ adopt }: TokenPolicy, seen: ObservedSecret | undefined) {
  if (!seen) return adopt?.tokenId;
  const current = ownedCurrent(seen);
  return current && isUnproven(current.marker) ? current.token.id : undefined;
}

/**
 * Decides about the adoption of one entry.
 * @param seen absent: the secret is not ours
 * @param confirmedBy who says that the string is this token's
 */
export function decideAdoption(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  confirmedBy: string | undefined,
): Adoption | undefined {
  const tokenId = tokenToAdopt(entry, seen);
  if (tokenId === undefined) return undefined;
  return {
    kind: 'adopt',
    token: entry.name,
    secret: entry.secret,
    tokenId,
    reason: 'Adopted',
    ...(confirmedBy !== undefined && { confirmedBy }),
  };
}

/** Whether nothing but an adoption can happen: the secret is not ours yet, or a person confirms one. */
export const adoptsOnly = (
  seen: ObservedSecret | undefined,
  adoption: Adoption | undefined,
  { confirmAdoption }: { readonly confirmAdoption?: string | undefined },
): boolean => confirmAdoption !== undefined || (!seen && adoption !== undefined);
