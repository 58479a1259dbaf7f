import type { Policy } from '../functions/policy/policy.ts';
import type { PolicyIssue } from '../functions/policy/policy-error.ts';

/** Where a stack is deployed to, as far as it is known. */
export interface Place {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
}

/** An ARN as it would be in this place; what is no ARN stays as it is. */
function movedTo({ account, region }: Place, text: string): string {
  const parts = text.split(':');
  if (parts[0] !== 'arn') return text;
  return parts
    .with(3, region ?? parts[3] ?? '')
    .with(4, account ?? parts[4] ?? '')
    .join(':');
}

const KEY =
  "a key of this stack's account and Region, because Secrets Manager uses no key of another Region, and one of another account lets that account read; write a key";

/** What a policy names by ARN in another place than the stack's, where it is of no use, or lets others read. */
export function namedElsewhere(
  { encryptionKey, eventBus, cluster }: Policy,
  place: Place,
): PolicyIssue[] {
  // Another account may let our roles read its secret and send to its bus.
  const inRegion = { region: place.region };
  const rows = [
    [place, ['encryptionKey'], encryptionKey, KEY],
    [place, ['cluster', 'managementTokenKey'], cluster.managementTokenKey, KEY],
    [
      inRegion,
      ['cluster', 'managementToken'],
      cluster.managementToken,
      "a secret of this stack's Region, in which alone the functions read; write one",
    ],
    [
      inRegion,
      ['eventBus'],
      eventBus,
      "a bus of this stack's Region, because nobody sends to one of another, to which only a rule forwards; write one",
    ],
  ] as const;
  return rows.flatMap(([where, path, text, expected]) => {
    const here = text === undefined ? undefined : movedTo(where, text);
    if (here === text) return [];
    return [{ path, message: `found "${text}", expected ${expected} such as ${here}` }];
  });
}
