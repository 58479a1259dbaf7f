import type { Revocation } from './answers.ts';
import type { Previewed } from './preview.ts';

const stepsOf = ({ plan: { actions } }: Revocation): readonly string[] =>
  actions.map(({ kind, tokenId, secret, label }) =>
    JSON.stringify([kind, tokenId ?? secret, label]),
  );

const contains = (all: readonly string[], some: readonly string[]) =>
  some.every((each) => all.includes(each));

/** Whether an order would end every token of another one, and take each of its steps. */
function covers({ answer: all }: Previewed, { answer: part }: Previewed): boolean {
  if (!all || !part || part.plan.tokens.length === 0) return false;
  const ids = ({ plan }: Revocation) => plan.tokens.map(({ tokenId }) => tokenId);
  return contains(ids(all), ids(part)) && contains(stepsOf(all), stepsOf(part));
}

/**
 * Several strings may be of one token, or of tokens that one order ends: they are one order. Given one after the other,
 * the second would find nothing left to do, and nothing left to prove it by.
 */
export function mergeOrders(previews: readonly Previewed[]): readonly Previewed[] {
  const known = previews.filter(({ unknown }) => unknown === undefined);
  const isLed = (each: Previewed, index: number) =>
    known.some(
      (other, at) => other !== each && covers(other, each) && (at < index || !covers(each, other)),
    );
  const leaders = known.filter((each, index) => !isLed(each, index));
  const leaderOf = (each: Previewed) =>
    leaders.includes(each) ? each : leaders.find((leader) => covers(leader, each));
  const groups = Map.groupBy(previews, (each) => leaderOf(each) ?? each);
  return [...groups].map(([leader, group]) => ({
    ...leader,
    heading: group.map(({ heading }) => heading).join(', '),
    lines: group.flatMap(({ lines }) => lines),
    ...(group.length > 1 && { merged: group }),
  }));
}
