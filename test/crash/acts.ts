import type { People } from '../world/people.ts';
import type { World } from '../world/world.ts';
import { SECRET } from './policy.ts';

type Label = Parameters<People['takeOff']>[1];

/** One act of a person. Does nothing where there is nothing to do it to. */
export type Act = (world: World) => Promise<void>;

/** Somebody, or a run, was faster: the token is gone. */
async function unlessGone(act: Promise<void>): Promise<void> {
  await act.catch((error: Error) => {
    if (!error.message.includes(': 404 ')) throw error;
  });
}

const holderOf = (world: World, label: Label) => world.labels(SECRET)[label];

const rollBack: Act = async (world) => {
  const previous = holderOf(world, 'AWSPREVIOUS');
  if (previous) await world.people.makeCurrent(SECRET, previous);
};

const strip =
  (label: Label): Act =>
  async (world) => {
    const id = holderOf(world, label);
    if (id) await unlessGone(world.people.changeToken(id, { permissions: [] }));
  };

export const deleteToken =
  (label: Label): Act =>
  async (world) => {
    const id = holderOf(world, label);
    if (id) await unlessGone(world.people.deleteToken(id));
  };

const detachPending: Act = async (world) => {
  if (holderOf(world, 'AWSPENDING')) await world.people.takeOff(SECRET, 'AWSPENDING');
};

export const hold =
  (kind: 'frozen' | 'deleted'): Act =>
  (world) =>
    world.people.hold(SECRET, kind);

export const acts = {
  'rolls back': rollBack,
  'strips the current token': strip('AWSCURRENT'),
  'strips the pending token': strip('AWSPENDING'),
  'strips the previous token': strip('AWSPREVIOUS'),
  'deletes the current token': deleteToken('AWSCURRENT'),
  'deletes the pending token': deleteToken('AWSPENDING'),
  'deletes the previous token': deleteToken('AWSPREVIOUS'),
  'takes AWSPENDING off': detachPending,
  'freezes the secret': hold('frozen'),
  'puts a hold for deletion': hold('deleted'),
} as const satisfies Readonly<Record<string, Act>>;

/** Tokens of nobody's, and of other deployments: one without a marker, one expired, two with markers that are not ours. */
export async function mintForeign({ people, clock }: World): Promise<void> {
  const marker = (owner: string) => `[keyturn:1 owner=${owner} secret=${SECRET} home=00000000]`;
  const expiresAt = `${new Date(clock.now() + 60_000).toISOString().slice(0, 19)}Z`;
  const permissions = [{ action: 'write', resource: 'metrics' }];
  for (const description of ['by hand', marker('other'), marker('demo')]) {
    await people.mint({ description, permissions });
  }
  await people.mint({ description: 'old', permissions, expiresAt });
}
