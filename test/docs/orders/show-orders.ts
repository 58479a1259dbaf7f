import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Observed, observeOrders, WAYS, type Way } from './observe-orders.ts';
import { reasonsOf, renderOrders } from './render-orders.ts';

const isEnding = (way: Way) => !['unfreeze', 'lift', 'restore'].includes(way);
const named = ({ way, state, selector }: Observed) => `${way}, ${state}, ${selector}`;

/** What became of the token that was asked about. Undefined: nothing was said of it. */
const resultOf = ({ answer, subject }: Observed) =>
  answer.report?.tokens.find(({ tokenId }) => tokenId === subject.tokenId)?.result;

/** For each, whether an order contradicts it. */
const CONTRADICTIONS: Readonly<Record<string, (order: Observed) => boolean>> = {
  'a string that an order says is dead is refused by every router at that moment': (order) =>
    isEnding(order.way) && order.answer.exitCode === 0 && order.then.accepting > 0,
  'whatever is not done and seen has its reason': (order) =>
    order.answer.exitCode !== 0 && reasonsOf(order).length === 0,
  'what is refused, or selects nothing, changes nothing': (order) =>
    (order.answer.exitCode === 4 || order.answer.report?.dryRun !== false) && order.changed,
  'an order answers with an exit code that it documents': ({ answer }) =>
    ![0, 1, 3, 4].includes(answer.exitCode),
  'a token that is said to be frozen, deleted or gone has no permissions': (order) =>
    order.able && ['frozen', 'deleted', 'gone'].includes(resultOf(order) ?? ''),
  'a replacement that is said to be done leaves consumers a string that works': (order) =>
    order.way.startsWith('replace') &&
    order.answer.exitCode === 0 &&
    order.after.consumers !== 'work',
  'whoever is cut off without a successor, and is said to be, is on hold': (order) =>
    ['freeze', 'delete'].includes(order.way) &&
    order.answer.exitCode === 0 &&
    order.after.consumers !== 'work' &&
    order.after.hold === 'none',
  'what is said to be given back did not work before, and works afterwards': (order) =>
    resultOf(order) === 'given-back' &&
    (order.before.accepting > 0 || order.after.accepting < order.after.routers),
  'no undoing that is said to be done leaves a hold': (order) =>
    ['unfreeze', 'lift'].includes(order.way) &&
    order.answer.exitCode === 0 &&
    order.after.hold !== 'none',
  'a report names only tokens that there are, or were': ({ answer, ids }) =>
    answer.report?.tokens.some(({ tokenId }) => !ids.includes(tokenId)) ?? false,
  'no answer quotes the string': ({ answer, subject }) =>
    JSON.stringify(answer).includes(subject.string),
};

/** Gives every order of some ways, and holds what is answered against the world and the document. */
export function showOrders(
  ways: readonly Way[],
  {
    title,
    document,
    file,
  }: { readonly title: string; readonly document: string; readonly file: string },
): void {
  const closers: (() => Promise<void> | void)[] = [];
  let observed: readonly Observed[] = [];
  beforeAll(async () => {
    observed = await observeOrders(ways, (close) => closers.push(close));
  }, 600_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    for (const close of closers) await close();
  });

  test.each(Object.entries(CONTRADICTIONS))('%s', (_what, contradicts) => {
    expect(observed.filter(contradicts).map(named)).toEqual([]);
  });

  test(`docs/${document} shows what was answered`, async () => {
    const rewrite = `npx vitest run ${file} -u`;
    const commands = Object.fromEntries(ways.map((way) => [way, `keyturn ${WAYS[way].join(' ')}`]));
    const text = renderOrders(title, rewrite, commands, observed);
    await expect(text, `to rewrite it: ${rewrite}`).toMatchFileSnapshot(
      `${process.cwd()}/docs/${document}`,
    );
  });
}
