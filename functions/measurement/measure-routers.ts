import type { Probe, ProbeAnswer } from '../data-plane/judge.ts';
import type { MintedToken } from '../management-api/management-api.ts';
import { TokenValue } from '../token-value.ts';
import { type Bench, measured } from './bench.ts';
import { isSuccess, MeasurementError } from './cluster.ts';
import type { Facts, Measured, Refusals } from './facts.ts';
import { type Change, type Spread, together } from './samples.ts';
import { watchChange } from './watch-change.ts';

type Access = Probe['action'];
const ACTIONS = ['read', 'write'] as const;

/** As `doctor` asks: it is no token. */
const NO_TOKEN = new TokenValue('keyturn-doctor');
/** More than half of the time: a token that is not known everywhere shows nothing of what comes after. */
const SHARE_OF_ACTIVATION = 0.55;
/** How often each kind of request asks what a refusal looks like. */
const TIMES = 5;

export type RouterFacts = Pick<
  Facts,
  | 'activation'
  | 'permissionAdded'
  | 'permissionRemoved'
  | 'revocation'
  | 'unknownString'
  | 'withoutPermission'
  | 'revokedString'
  | 'secondDelete'
>;

/** A token that was deleted, and when. */
export interface Deleted {
  readonly id: string;
  readonly at: number;
}

/** Changes something by the Management API, and says when. */
async function changed(
  { tools: { now } }: Bench,
  what: string,
  send: () => ReturnType<Bench['cluster']['say']>,
): Promise<Change> {
  const from = now();
  const said = await send();
  if (!isSuccess(said)) throw new MeasurementError(said.problem ?? `${what} failed`);
  return { from, to: now() };
}

async function refusalsOf(
  { probe }: Bench,
  value: TokenValue,
  actions: readonly Access[] = ACTIONS,
): Promise<Refusals> {
  const found = { read: new Set<number>(), write: new Set<number>() };
  for (const action of actions) {
    for (let time = 0; time < TIMES; time += 1) {
      const { answer, status } = await probe(value, action);
      if (answer === 'accepted') throw new MeasurementError(`it was accepted (${action})`);
      if (answer === 'refused' && status !== undefined) found[action].add(status);
    }
  }
  return { read: [...found.read].sort(), write: [...found.write].sort() };
}

const unmeasured = (why: string) => ({ why });

const isEverywhere = (spread: Measured<Spread>) =>
  'value' in spread && spread.value.all !== undefined;

/** How one is refused that may only write, and one that may only read. */
function eachOf(unread: Measured<Refusals>, unwritten: Measured<Refusals>): Measured<Refusals> {
  if ('why' in unread) return unread;
  if ('why' in unwritten) return unwritten;
  return { value: { read: unread.value.read, write: unwritten.value.write } };
}

/** How the routers learn of changes. All ends by `until`. */
export async function measureRouters(
  bench: Bench,
  until: number,
): Promise<{ readonly facts: RouterFacts; readonly deleted?: Deleted }> {
  const { tools, cluster, database, mint, probe } = bench;
  const watch = (
    change: Change,
    expected: 'accepted' | 'refused',
    { value }: MintedToken,
    actions: readonly Access[],
    before = until,
  ): Promise<Spread> => {
    const ask = async (kind: number): Promise<ProbeAnswer> =>
      (await probe(value, actions[kind] as Access)).answer;
    const kinds = actions.length;
    return watchChange({ change, expected, kinds, probe: ask, until: before }, tools);
  };
  const grant = (action: Access) => ({ action, resource: database });

  const unknownString = await measured(() => refusalsOf(bench, NO_TOKEN));
  const whole = await mint([grant('read'), grant('write')]);
  const writer = await mint([grant('write')]);
  const half = tools.now() + (until - tools.now()) * SHARE_OF_ACTIVATION;
  const activation = await measured(async () =>
    together(
      await Promise.all([
        watch(whole.change, 'accepted', whole, ACTIONS, half),
        watch(writer.change, 'accepted', writer, ['write'], half),
      ]),
    ),
  );
  if ('why' in activation || activation.value.all === undefined) {
    const why = unmeasured('the new tokens were not seen accepted everywhere in time');
    return {
      facts: {
        ...{ activation, unknownString },
        ...{ permissionAdded: why, permissionRemoved: why, revocation: why },
        ...{ withoutPermission: why, revokedString: why, secondDelete: why },
      },
    };
  }

  const unread = await measured(() => refusalsOf(bench, writer.value, ['read']));
  const exchange = measured(() =>
    changed(bench, 'PATCH /tokens/{id}', () =>
      cluster.say('PATCH', `/tokens/${writer.token.id}`, { permissions: [grant('read')] }),
    ),
  );
  const deletion = measured(() =>
    changed(bench, 'DELETE /tokens/{id}', () => cluster.say('DELETE', `/tokens/${whole.token.id}`)),
  );
  const after = async (
    change: Promise<Measured<Change>>,
    ...watched: [expected: 'accepted' | 'refused', token: MintedToken, actions: readonly Access[]]
  ): Promise<Measured<Spread>> => {
    const done = await change;
    return 'why' in done ? done : measured(() => watch(done.value, ...watched));
  };
  const [permissionAdded, permissionRemoved, revocation, deleted] = await Promise.all([
    after(exchange, 'accepted', writer, ['read']),
    after(exchange, 'refused', writer, ['write']),
    after(deletion, 'refused', whole, ACTIONS),
    deletion,
  ]);
  const isGone = isEverywhere(revocation);
  const unwritten = isEverywhere(permissionRemoved)
    ? await measured(() => refusalsOf(bench, writer.value, ['write']))
    : unmeasured('the permission that was taken was not seen refused everywhere in time');
  const facts = {
    ...{ activation, permissionAdded, permissionRemoved, revocation, unknownString },
    withoutPermission: eachOf(unread, unwritten),
    revokedString: isGone
      ? await measured(() => refusalsOf(bench, whole.value))
      : unmeasured('the deleted token was not seen refused everywhere in time'),
    secondDelete:
      'why' in deleted
        ? deleted
        : await measured(async () => {
            const said = await cluster.insist('DELETE', `/tokens/${whole.token.id}`);
            const { status } = said;
            if (status === undefined || status === 429) throw new MeasurementError(said.problem);
            return status;
          }),
  };
  if ('why' in deleted) return { facts };
  return { facts, deleted: { id: whole.token.id, at: deleted.value.to } };
}
