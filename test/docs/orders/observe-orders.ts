import { vi } from 'vitest';
import { writeTemporary } from '../../bin/cli.ts';
import { serveLambda } from '../../bin/serve-lambda.ts';
import { MINUTE } from '../../world/policy.ts';
import { environmentOf } from '../../world/systems.ts';
import type { World } from '../../world/world.ts';
import { type Answer, giveOrder } from './give-order.ts';
import {
  arrange,
  meanwhileOf,
  openStates,
  STATES,
  type StateName,
  type Subject,
} from './states.ts';

export const WAYS = {
  freeze: ['revoke', '--freeze'],
  replace: ['revoke'],
  'replace immediately': ['revoke', '--immediately'],
  delete: ['revoke', '--delete'],
  unfreeze: ['unfreeze'],
  lift: ['lift'],
  restore: ['restore'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Way = keyof typeof WAYS;

const SELECTORS = {
  '--token': ({ name }) => [name],
  '--token-id': ({ tokenId }) => [tokenId],
  '--secret': ({ secret }) => [secret],
  '--leaked': () => [],
  '--database': ({ database }) => [database],
  '--all': () => ['--confirm', '127.0.0.1'],
} as const satisfies Readonly<Record<string, (subject: Subject) => readonly string[]>>;

export type Selector = keyof typeof SELECTORS;

/** What is true in the world, whatever anybody answers. */
export interface Truth {
  /** How many of the routers accept the string of the subject. */
  readonly accepting: number;
  readonly routers: number;
  /** What consumers of the secret get. */
  readonly consumers: 'work' | 'are refused' | 'read nothing';
  readonly hold: 'frozen' | 'deleted' | 'none';
}

/** One order about a token in one state, by one selector. */
export interface Observed {
  readonly way: Way;
  readonly state: StateName;
  readonly selector: Selector;
  readonly subject: Subject;
  readonly answer: Answer;
  readonly before: Truth;
  /** When the answer came. */
  readonly then: Truth;
  /** Five minutes later: every router has heard of everything. */
  readonly after: Truth;
  /** Whether tokens, versions, labels or tags are others than before. */
  readonly changed: boolean;
  /** Whether the subject's token has permissions afterwards. */
  readonly able: boolean;
  /** Ids of all tokens that the cluster ever had. */
  readonly ids: readonly string[];
}

function truthOf(world: World, { secret, string, database }: Subject): Truth {
  const acceptedBy = (each: string) => world.cluster.acceptedBy(each, 'write', database).length;
  const { count } = world.cluster.routers;
  const kept = world.aws.state.secrets[secret];
  const isReadable = kept !== undefined && kept.deletedAt === undefined;
  const works = isReadable && acceptedBy(world.string(secret)) === count;
  const labels = world.labels(secret);
  const byLabel =
    'keyturn-hold-delete' in labels
      ? 'deleted'
      : 'keyturn-hold-freeze' in labels
        ? 'frozen'
        : undefined;
  const hold = world.hold(secret) ?? byLabel;
  return {
    accepting: acceptedBy(string),
    routers: count,
    consumers: works ? 'work' : isReadable ? 'are refused' : 'read nothing',
    hold: hold === 'frozen' || hold === 'deleted' ? hold : 'none',
  };
}

/** Everything that an order may change, without when it was read. */
const everythingIn = ({ cluster, aws }: World) =>
  JSON.stringify([cluster.state.tokens, aws.state.secrets], (key, value) =>
    key === 'accessedAt' ? undefined : value,
  );

async function observeOrder(
  world: World,
  about: Pick<Observed, 'way' | 'state' | 'selector' | 'subject'>,
): Promise<Observed> {
  const { way, state, selector, subject } = about;
  const before = truthOf(world, subject);
  const everything = everythingIn(world);
  const args = [
    ...WAYS[way],
    selector,
    ...SELECTORS[selector](subject),
    '--reason',
    'leaked',
    '--yes',
  ];
  world.intercept(meanwhileOf(state));
  const answer = await giveOrder(args, subject.string);
  world.intercept();
  const changed = everythingIn(world) !== everything;
  const then = truthOf(world, subject);
  await world.wait(5 * MINUTE);
  const { tokens } = world.cluster.state;
  const token = world.tokens().find(({ id }) => id === subject.tokenId);
  return {
    ...about,
    answer,
    before,
    then,
    after: truthOf(world, subject),
    changed,
    able: token !== undefined && token.permissions.length > 0,
    ids: tokens.map(({ id }) => id),
  };
}

/** Every selector of every state, in a world of its own: as if nothing else had been ordered. */
export async function observeOrders(
  ways: readonly Way[],
  atEnd: (close: () => Promise<void> | void) => void,
): Promise<Observed[]> {
  const world = await openStates();
  atEnd(() => world.close());
  const usual = world.save();
  const environment = {
    ...environmentOf(world),
    AWS_ENDPOINT_URL_LAMBDA: await serveLambda(world, atEnd),
    KEYTURN_POLICY: writeTemporary('keyturn.yaml', world.policy, atEnd),
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const observed: Observed[] = [];
  for (const state of Object.keys(STATES) as StateName[]) {
    await world.restore(usual);
    const subject = await arrange(world, state);
    const saved = world.save();
    for (const way of ways) {
      for (const selector of Object.keys(SELECTORS) as Selector[]) {
        await world.restore(saved);
        observed.push(await observeOrder(world, { way, state, selector, subject }));
      }
    }
  }
  return observed;
}
