import { describeToken } from '../../tokens/marker.ts';
import type { ObservedToken, OwnedToken } from '../../tokens/observation.ts';
import type { RevocationWay } from '../request.ts';
import type { LabelDetachment, SingleTokenAction } from './revocation-action.ts';

/** How long a description may get; no limit is documented, and one that was cut would lose the marker. */
const LONGEST_DESCRIPTION = 4_096;

/** Whether the marker has room for the permissions that are to be taken away. */
export function canKeep({ token, marker, text }: OwnedToken, now: number): boolean {
  const kept = { ...marker, frozen: now, was: token.permissions };
  return describeToken(text, kept).length <= LONGEST_DESCRIPTION;
}

function detachPrevious(
  owned: OwnedToken | undefined,
  labels: Readonly<Record<string, string>>,
): LabelDetachment[] {
  if (!owned || labels.AWSPREVIOUS !== owned.version) return [];
  const { secret } = owned.marker;
  return [{ kind: 'detach-label', secret, label: 'AWSPREVIOUS', version: owned.version }];
}

/** The steps for a token that is dealt with by itself. `labels`: of its secret, if it is ours. */
export function decideToken(
  { token, owned }: ObservedToken,
  way: RevocationWay,
  labels: Readonly<Record<string, string>>,
): readonly SingleTokenAction[] {
  const about = { tokenId: token.id, ...(owned && { secret: owned.marker.secret }) };
  const { frozen, quarantined } = owned?.marker ?? {};
  switch (way) {
    case 'freeze':
      return token.permissions.length > 0 ? [{ kind: 'strip', ...about }] : [];
    case 'delete':
    case 'replace':
      return [...detachPrevious(owned, labels), { kind: 'delete', ...about }];
    case 'unfreeze':
      return frozen === undefined ? [] : [{ kind: 'give-back', ...about }];
    case 'restore':
      return quarantined !== undefined && frozen === undefined
        ? [{ kind: 'give-back', ...about }]
        : [];
    case 'lift':
    case 'whois':
      return [];
    default:
      way satisfies never;
      throw new Error('an order of no known way');
  }
}
