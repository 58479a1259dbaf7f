import type { People } from '../world/people.ts';
import { HOUR } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { GRANTS, OWNER, SECRET } from './policy.ts';

type Label = Parameters<People['takeOff']>[1];

/** One act of a person on a secret, the laboratory's by default. Does nothing where there is nothing to do it to. */
export type Act = (world: World, secret?: string) => Promise<void>;

/** AWS refuses it: the secret or its version is gone or scheduled for deletion, or a rotation has begun. */
const REFUSED = ['ResourceNotFoundException', 'InvalidRequestException'];

/** Somebody, or a run, was faster: then there is nothing to do any more. */
const unlessRefused =
  (act: Act): Act =>
  (world, secret = SECRET) =>
    act(world, secret).catch((error: Error) => {
      if (!error.message.includes(': 404 ') && !REFUSED.includes(error.name)) throw error;
    });

const STRING = /apiv1_[\w+/=-]+/;

/** A secret's text without its values: what stands where. */
const formOf = (text: string) => (text.startsWith('{') ? text.replace(/"[^"]*"(?!:)/g, '') : '');

/** A secret's text with another string, in the same place. */
function withString(text: string, string: string): string {
  const replaced = text.replace(STRING, string);
  return replaced.includes(string) ? replaced : string;
}

const rollBack: Act = async ({ labels, people }, secret = SECRET) => {
  const { AWSCURRENT, AWSPREVIOUS } = labels(secret);
  if (AWSPREVIOUS && AWSCURRENT) await people.makeCurrent(secret, AWSPREVIOUS);
};

const strip =
  (label: Label): Act =>
  async ({ holders, people }, secret = SECRET) => {
    const id = holders(secret)[label];
    if (id) await people.changeToken(id, { permissions: [] });
  };

/** Whoever edits a token in another tool does not know what the end of its description is for. */
const loseMarker: Act = async ({ holders, people }, secret = SECRET) => {
  const id = holders(secret).AWSCURRENT;
  if (id) await people.changeToken(id, { description: 'hall 1' });
};

const addPermission: Act = async ({ cluster, holders, people }, secret = SECRET) => {
  const token = cluster.state.tokens.find(({ id }) => id === holders(secret).AWSCURRENT);
  const added = { action: 'read', resource: 'metrics' } as const;
  if (token) await people.changeToken(token.id, { permissions: [...token.permissions, added] });
};

/** What is left works, so that nobody notices at once. */
const takePermissionAndMarker: Act = async ({ cluster, holders, people }, secret = SECRET) => {
  const token = cluster.state.tokens.find(({ id }) => id === holders(secret).AWSCURRENT);
  const [left, ...more] = token?.permissions ?? [];
  if (!token || !left || more.length === 0) return;
  await people.changeToken(token.id, { permissions: [left], description: 'hall 1' });
};

/** Somebody took the one secret for the other. */
const pasteOther: Act = async ({ aws, value, people }, secret = SECRET) => {
  const others = Object.keys(aws.state.secrets).filter((name) =>
    name.startsWith(`keyturn/${OWNER}/`),
  );
  const other = others[(others.indexOf(secret) + 1) % others.length];
  const text = other && other !== secret && value(other);
  if (!text) return;
  const own = value(secret);
  const [string] = text.match(STRING) ?? [];
  // Of one that consumers read in another way, its whole text is a placeholder.
  const isAlike = string === undefined || formOf(text) === formOf(own);
  await people.saveValue(secret, isAlike ? text : withString(own, string));
};

export const deleteToken =
  (label: Label): Act =>
  async ({ holders, people }, secret = SECRET) => {
    const id = holders(secret)[label];
    if (id) await people.deleteToken(id);
  };

const detachPending: Act = async ({ labels, people }, secret = SECRET) => {
  if (labels(secret).AWSPENDING) await people.takeOff(secret, 'AWSPENDING');
};

export const hold =
  (kind: 'frozen' | 'deleted'): Act =>
  (world, secret = SECRET) =>
    world.people.hold(secret, kind);

/** Both traces, with the AWS CLI; what was frozen stays so. */
const takeHoldAway: Act = async ({ tags, labels, people }, secret = SECRET) => {
  for (const label of ['keyturn-hold-freeze', 'keyturn-hold-delete'] as const) {
    if (labels(secret)[label]) await people.takeOff(secret, label);
  }
  if (tags(secret)['keyturn:hold']) await people.untag(secret, ['keyturn:hold']);
};

/** The console's "Save": a version with the same text, whose id is the console's own. */
const saveAsItIs: Act = async ({ value, people }, secret = SECRET) => {
  const text = value(secret);
  if (text) await people.saveValue(secret, text);
};

/** The text of the youngest version that is another than the current one. */
const formerText = ({ aws, value }: World, secret: string) =>
  Object.values(aws.state.secrets[secret]?.versions ?? {})
    .filter(({ stages }) => !stages.includes('AWSPENDING'))
    .map(({ secretString }) => secretString)
    .findLast((text) => text && text !== value(secret));

const pasteOldValue: Act = async (world, secret = SECRET) => {
  const former = formerText(world, secret);
  if (former) await world.people.saveValue(secret, former);
};

/** Behind the string that consumers read, and without what Keyturn wrote for people alone. */
const keepFormerBeside: Act = async (world, secret = SECRET) => {
  const text = world.value(secret);
  const [former] = formerText(world, secret)?.match(STRING) ?? [];
  if (!text.startsWith('{') || !former || text.includes(former)) return;
  const { tokenId, url, databases, expiresAt, ...kept } = JSON.parse(text);
  await world.people.saveValue(secret, JSON.stringify({ ...kept, former }));
};

const editAnotherKey: Act = async ({ value, people, clock }, secret = SECRET) => {
  const text = value(secret);
  if (!text.startsWith('{')) return;
  const edited = { ...JSON.parse(text), note: `edited ${clock.now()}` };
  await people.saveValue(secret, JSON.stringify(edited));
};

/** A token with the same grants takes the place of the one that is there. */
const putByHand: Act = async ({ value, people }, secret = SECRET) => {
  const { accessToken } = await people.mint({ description: 'by hand', permissions: GRANTS });
  await people.saveValue(secret, withString(value(secret), accessToken));
};

const stripTags =
  (isKept: (key: string) => boolean): Act =>
  async ({ tags, people }, secret = SECRET) => {
    const keys = Object.keys(tags(secret)).filter((key) => !isKept(key));
    if (keys.length > 0) await people.untag(secret, keys);
  };

/** As infrastructure code does that owns the container, and not its value. */
const deleteAndMakeAnew: Act = async ({ people }, secret = SECRET) => {
  await people.deleteSecret(secret, 'for good');
  await people.createSecret(secret, undefined, { 'keyturn:owner': OWNER });
};

const isRotating = ({ aws }: World, secret: string) =>
  aws.state.secrets[secret]?.rotation?.rotatingTo !== undefined;

const unlessRotating =
  (act: Act): Act =>
  async (world, secret = SECRET) => {
    if (!isRotating(world, secret)) await act(world, secret);
  };

/** Every act in a moment of its own, in which nothing else goes on; none of them is refused aloud. */
export const acts: Readonly<Record<string, Act>> = Object.fromEntries(
  Object.entries({
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
    'takes the hold away': takeHoldAway,
    'saves the secret as it is': saveAsItIs,
    'pastes an old value back': pasteOldValue,
    'keeps the former string beside it': keepFormerBeside,
    'edits another key': editAnotherKey,
    'puts a token made by hand': putByHand,
    "pastes another secret's string": pasteOther,
    'takes the marker of the current token': loseMarker,
    'takes the marker and a permission of the current token': takePermissionAndMarker,
    'adds a permission to the current token': addPermission,
    'puts a placeholder': ({ people }, secret = SECRET) => people.saveValue(secret, 'CHANGE_ME'),
    'strips all tags but the owner': stripTags((key) => key === 'keyturn:owner'),
    'strips all tags': stripTags(() => false),
    'deletes the secret for good and makes it anew': deleteAndMakeAnew,
    'schedules the deletion': ({ people }, secret = SECRET) => people.deleteSecret(secret),
    'schedules the deletion and restores it': async ({ people }, secret = SECRET) => {
      await people.deleteSecret(secret);
      await people.restoreSecret(secret);
    },
    'cancels a rotation': unlessRotating(({ people }, secret = SECRET) =>
      people.cancelRotation(secret),
    ),
    'presses Rotate': unlessRotating((world, secret = SECRET) => world.rotateSecret(secret)),
  } satisfies Record<string, Act>).map(([name, act]) => [name, unlessRefused(act)]),
);

/** Tokens of nobody's, and of other deployments: one without a marker, one expired, two with markers that are not ours. */
export async function mintForeign({ people, clock }: World): Promise<void> {
  const marker = (owner: string) => `[keyturn:1 owner=${owner} secret=${SECRET} home=00000000]`;
  const expiresAt = `${new Date(clock.now() + HOUR / 60).toISOString().slice(0, 19)}Z`;
  for (const description of ['by hand', marker('other')]) {
    await people.mint({ description, permissions: GRANTS });
  }
  // One that works would be a stray, of which an alarm tells for as long as it is there.
  await people.mint({ description: marker('demo'), permissions: [] });
  await people.mint({ description: 'old', permissions: GRANTS, expiresAt });
}
