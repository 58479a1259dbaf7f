import { createHash } from 'node:crypto';
import { DAY, MINUTE } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

export const SECRET = 'keyturn/prod/telegraf';
export const WRITE = [{ action: 'write', resource: 'telemetry' }];

export const policy = {
  owner: 'prod',
  defaults: {
    rotateEvery: '2d',
    gracePeriod: '1h',
    renewBefore: '6h',
    quarantine: '1h',
    expiresAfter: '4d',
  },
  databases: [{ name: 'telemetry' }],
  tokens: { telegraf: { permissions: { write: ['telemetry'] } } },
};

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
export const instant = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** A token as Keyturn 0.1 left it. */
export interface Left {
  readonly id: string;
  readonly string: string;
}

type Fields = Readonly<Record<string, string>>;

/**
 * Keyturn 0.1 at work, one step at a time: its markers, and versions whose ids are the bare ids of tokens.
 * @param adopted the text of an adopted secret around its string
 */
export function keyturn01(world: World, adopted = (string: string) => string) {
  const home = () => sha256(world.aws.state.secrets[SECRET]?.arn ?? '').slice(0, 8);
  const marker = (fields: Fields) => {
    const all = { owner: 'prod', secret: SECRET, home: home(), ...fields };
    const written = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    return `telegraf [keyturn:1 ${written.join(' ')}]`;
  };
  /** What arming adds to a marker. */
  const armed = ({ id, string }: Left): Fields => ({
    id,
    fp: sha256(string).slice(0, 16),
    grants: sha256('write:telemetry').slice(0, 8),
  });

  const tags = () => ({ 'keyturn:owner': 'prod', 'keyturn:cluster': world.cluster.url });

  return {
    createSecret: () => world.people.createSecret(SECRET, undefined, tags()),
    /** A token and a secret that people made. */
    async inherit(): Promise<Left> {
      const made = await world.people.mint({ description: 'telegraf', permissions: WRITE });
      await world.people.createSecret(SECRET, adopted(made.accessToken));
      return { id: made.id, string: made.accessToken };
    },
    /** The first step of an adoption. The second one is the tags. */
    markAdopted(left: Left) {
      const { AWSCURRENT: version = '' } = world.labels(SECRET);
      const adopted = instant(world.clock.now());
      return this.mark(left, { version, adopted });
    },
    tag: () => world.people.tag(SECRET, tags()),
    async mint(fields: Fields = {}): Promise<Left> {
      const expiresAt = instant(world.clock.now() + 4 * DAY);
      const description = marker(fields);
      const { id, accessToken } = await world.people.mint({
        description,
        permissions: [],
        expiresAt,
      });
      return { id, string: accessToken };
    },
    store({ id, string }: Left, version = id) {
      const text = JSON.stringify({ token: string, tokenId: id, url: world.cluster.url });
      return world.people.putVersion(SECRET, version, text, 'AWSPENDING');
    },
    /** The same into an adopted secret, which keeps its shape. */
    storeAdopted: ({ id, string }: Left) =>
      world.people.putVersion(SECRET, id, adopted(string), 'AWSPENDING'),
    arm: (left: Left, fields: Fields = {}) =>
      world.people.changeToken(left.id, {
        description: marker({ ...armed(left), ...fields }),
        permissions: WRITE,
      }),
    /** Marks an armed token, and takes its permissions if it says so. */
    mark: (left: Left, fields: Fields, permissions = WRITE) =>
      world.people.changeToken(left.id, {
        description: marker({ ...armed(left), ...fields }),
        permissions,
      }),
    promote: ({ id }: Left, version = id) => world.people.makeCurrent(SECRET, version),
    /** A whole first issue. */
    async issue(): Promise<Left> {
      await this.createSecret();
      const left = await this.mint();
      await this.store(left);
      await this.arm(left);
      await world.wait(MINUTE);
      return left;
    },
  };
}
