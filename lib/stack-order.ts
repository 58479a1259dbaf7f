import { Stack, Stage } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The stack that is deployed with all that are nested in it. */
export const outermost = (stack: Stack): Stack =>
  stack.nestedStackParent ? outermost(stack.nestedStackParent) : stack;

/**
 * Whether CDK refers in a stack to what another makes, so that the one needs the other. It writes the names of what is in another account,
 * or in another Region, and orders nothing.
 */
export const refersTo = (stack: Stack, other: Stack): boolean =>
  stack.account === other.account &&
  (stack.region === other.region || stack._crossRegionReferences);

/** Whose deployment a construct stands for: of one outside of stacks, that of those in it; of a stage CDK tells what is wrong. */
function stacksOf(construct: IConstruct): Stack[] {
  if (construct.node.scopes.some((each) => Stack.isStack(each))) return [Stack.of(construct)];
  return Stage.isStage(construct) ? [] : construct.node.children.flatMap(stacksOf);
}

/** What a stack needs by what an app says of it, or of a construct in it; not yet by what these refer to. */
const neededBy = (stack: Stack): Stack[] =>
  [
    ...stack.dependencies,
    ...stack.node
      .findAll()
      .flatMap(({ node }) => node.dependencies)
      .flatMap(stacksOf),
  ].map(outermost);

/** How one stack comes to need another: the stacks from the one to the other. Undefined: it does not, as far as is known by now. */
export function wayTo(
  from: Stack,
  to: Stack,
  direct: Iterable<Stack> = [],
): readonly Stack[] | undefined {
  const ways: (readonly [Stack, ...Stack[]])[] = [[outermost(from)]];
  const seen = new Set<Stack>([outermost(from)]);
  for (const way of ways) {
    const [last] = way;
    if (last === outermost(to)) return way.toReversed();
    const next =
      way.length === 1 ? [...neededBy(last), ...[...direct].map(outermost)] : neededBy(last);
    for (const each of next) {
      if (seen.has(each)) continue;
      seen.add(each);
      ways.push([each, ...way]);
    }
  }
  return undefined;
}
