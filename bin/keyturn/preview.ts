import { advised } from './advice.ts';
import { type Revocation, readRevocation } from './answers.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, inFlags, kindOf, NotStartedError, sentenceOf } from './failure.ts';
import { formatUnknown } from './identify.ts';
import { nameOfString } from './leaked.ts';
import { formatBlastRadius, isHopeless } from './revocation-text.ts';
import type { Selection } from './selectors.ts';
import { severalAtOnce } from './several-at-once.ts';
import type { Style } from './terminal.ts';

export interface Order extends Selection {
  readonly way: string;
  readonly immediately?: boolean;
  readonly noUndo?: boolean;
  readonly withoutSecrets?: boolean;
  /** This machine carries it out. */
  readonly isLocal?: boolean;
  /** The host of the cluster as this machine knows it, for an order about all. */
  readonly confirm?: string;
}

/** Said with every order: who gives it, and why. */
export interface Signature {
  readonly by: string;
  /** Absent: not known yet, which a dry run allows. */
  readonly reason?: string | undefined;
}

/** An order, and what the function says that it would do. */
export interface Previewed extends Named {
  /** What is sent. */
  readonly event: object;
  /** Absent: the function has no answer. */
  readonly answer?: Revocation;
  /** Why nothing can be ordered. */
  readonly unknown?: string;
  /** The orders of several strings that this one carries out. Absent: it is for its own alone. */
  readonly merged?: readonly Named[];
}

/** An order, and for which of several strings it is. */
export interface Named {
  readonly order: Order;
  /** Empty, unless several strings leaked. */
  readonly heading: string;
  /** Of the strings that it is for: the lines of the text that was given. */
  readonly lines: readonly number[];
}

type Answered = Omit<Previewed, keyof Named>;

/**
 * Asks what an order would do, by every reading of its selector, until one selects something.
 * @throws what the function throws
 */
async function preview(order: Order, signature: Signature, engine: Engine): Promise<Answered> {
  const {
    way,
    immediately = false,
    noUndo = false,
    withoutSecrets = false,
    otherwise,
    confirm,
  } = order;
  const how = {
    ...(immediately && { immediately }),
    ...(noUndo && { noUndo }),
    ...(withoutSecrets && { withoutSecrets }),
    ...signature,
  };
  let first: Answered | undefined;
  for (const selector of order.events) {
    // The function may be of another cluster than the policy file: its plan says so before the confirmation.
    const host = 'all' in selector && confirm !== undefined && { confirm };
    const event = { way, ...selector, ...how, ...host };
    const answer = readRevocation(await engine.call('revoke', { ...event, dryRun: true }));
    const { candidates, warnings } = answer.plan;
    if (!candidates) return { event, answer };
    first ??= { event, answer, unknown: warnings.join('; ') };
  }
  // A part of a string fits every token, so it has no candidates.
  return otherwise === undefined && first ? first : { event: {}, unknown: otherwise ?? '' };
}

/** What orders would do. One string of several that selects nothing does not keep the others alive. */
export async function previewAll(
  named: readonly Named[],
  signature: Signature,
  engine: Engine,
): Promise<Previewed[]> {
  const previews = new Map<Named, Previewed>();
  const groups = named.map((each) => [each]);
  await severalAtOnce(groups, async (each, isAlone) => {
    const answered = await preview(each.order, signature, engine).catch((error) => {
      if (!isAlone && error instanceof NotStartedError) return undefined;
      if (each.heading === '' || kindOf(error) !== 'SelectionError') throw error;
      return { event: {}, unknown: error.message };
    });
    if (answered) previews.set(each, { ...each, ...answered });
    return answered !== undefined;
  });
  return named.flatMap((each) => previews.get(each) ?? []);
}

/** Several strings are called by their lines. */
export const nameOrders = (orders: readonly Order[]): readonly Named[] =>
  orders.map((order, index) => {
    const { line = 1 } = order;
    const heading = orders.length === 1 ? '' : nameOfString(index, { line });
    return { order, heading, lines: [line] };
  });

export const underHeading = (heading: string, text: string, style: Style): string =>
  heading === '' ? text : `${style('bold', heading)}\n${text}`;

/** The command that gives an order. */
function commandOf({ way, immediately = false, isLocal }: Order): string {
  const words = {
    replace: immediately ? 'revoke --immediately' : 'revoke',
    freeze: 'revoke --freeze',
    delete: 'revoke --delete',
  };
  return advised(`keyturn ${words[way as keyof typeof words] ?? way}`, isLocal);
}

export function formatPreview(previewed: Previewed, style: Style): string {
  const { order, heading, answer, unknown } = previewed;
  const text =
    unknown === undefined && answer
      ? formatBlastRadius(answer, order, style)
      : formatUnknown({ unknown: unknown ?? '', ...answer?.plan }, style, commandOf(order));
  return underHeading(heading, text, style);
}

/** What nothing can be ordered for. Undefined: nothing. */
export function unknownOf(previews: readonly Previewed[]): string | undefined {
  const [first, ...others] = previews.filter(({ unknown }) => unknown !== undefined);
  if (!first) return undefined;
  if (first.heading === '') return `${first.unknown}; nothing was done`;
  const headings = [first, ...others].map(({ heading }) => heading).join(', ');
  return `nothing was done for ${headings}, of ${previews.flatMap(({ lines }) => lines).length} strings`;
}

function refusedBecause(plan: Revocation['plan']): string | undefined {
  const said = plan.notReached.map(({ secret, reason }) => `${secret} ${reason}`);
  const why = plan.refusal ?? (isHopeless(plan) ? said.join('; ') : undefined);
  return why && inFlags(why);
}

/** What the function would refuse after the confirmation is refused before it. Undefined: it is not. */
export function refusalOf({ answer }: Previewed): CommandError | undefined {
  const why = answer && refusedBecause(answer.plan);
  if (why === undefined) return undefined;
  return new CommandError(`refused: ${why}; nothing was done`, { exitCode: EXIT.refused });
}

/**
 * Why an order that was given would be refused, or select nothing, if it were given again. Undefined: it would not.
 * @throws what is no answer of the function
 */
export async function refusedAgain(event: object, engine: Engine): Promise<string | undefined> {
  try {
    const { plan } = readRevocation(await engine.call('revoke', { ...event, dryRun: true }));
    return plan.candidates ? plan.warnings.join('; ') : refusedBecause(plan);
  } catch (error) {
    if (kindOf(error) !== 'SelectionError') throw error;
    return sentenceOf(error);
  }
}
