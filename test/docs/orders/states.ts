import type { Interceptor } from '../../../sandbox/interception.ts';
import { disturb, faults } from '../../world/faults.ts';
import { openWorld } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { MANAGEMENT_SECRET } from '../../world/systems.ts';
import type { World } from '../../world/world.ts';

const LEGACY = 'legacy/collector';

const tokens = {
  telegraf: { permissions: { write: ['metrics'] } },
  grafana: { permissions: { read: ['logs'] } },
};
const defaults = { gracePeriod: '24h', quarantine: '7d' };
const databases = ['metrics', 'logs', 'archive'];
const policy = {
  owner: 'prod',
  databases: databases.map((name) => ({ name })),
  defaults,
  // Shorter than by default: where nobody answers, an order waits for so long.
  activationTimeout: '1m',
  tokens,
};

/** A token, as an order may name it. */
export interface Subject {
  /** Its name in the policy. */
  readonly name: string;
  readonly secret: string;
  readonly database: string;
  readonly tokenId: string;
  readonly string: string;
}

/** A state that a token may be in when somebody gives an order about it. */
interface State {
  readonly means: string;
  /** Brings it about. */
  readonly arrange: (world: World) => Promise<Partial<Subject>>;
  /** Stands before both servers while the order is given. */
  readonly meanwhile?: Interceptor;
}

const force = { tokens: ['telegraf'], force: true };
const write = (resource: string) => [{ action: 'write', resource }];
const nothing = () => Promise.resolve({});
const idOf = (world: World, label = 'AWSCURRENT') => world.holders(TELEGRAF)[label] ?? '';
const current = (world: World) => ({ tokenId: idOf(world), string: world.string(TELEGRAF) });

/** The current token, and `days` days and runs of `reap` after its replacement. */
async function replaced(world: World, days: number) {
  const old = current(world);
  await world.rotate(force);
  for (let day = 0; day < days; day += 1) {
    await world.wait(DAY + HOUR);
    await world.reap();
  }
  return old;
}

/** Every call of a server but the one that reads the management token. */
const meets =
  (
    server: 'secrets-manager' | 'management-api' | 'data-plane',
    answer: (operation: string) => Awaited<ReturnType<Interceptor>>,
  ): Interceptor =>
  (call, effect) =>
    Promise.resolve(
      call.server === server && call.subject !== MANAGEMENT_SECRET
        ? answer(call.operation)
        : effect(),
    );

const notThere = {
  status: 400,
  body: '{"__type": "ResourceNotFoundException", "Message": "Secrets Manager can\'t find the specified secret."}',
};

export const STATES = {
  current: {
    means: 'consumers read it (AWSCURRENT)',
    arrange: nothing,
  },
  pending: {
    means: 'armed and not yet promoted (AWSPENDING): the run that made it was cut off',
    async arrange(world) {
      await disturb(world, () => world.rotate(force), 1, {
        meet: faults['a reset after the effect'],
        counts: (call) => call.operation === 'PATCH /tokens/{id}',
        later: 'cut off',
      });
      const string = world.string(TELEGRAF, world.labels(TELEGRAF).AWSPENDING);
      return { tokenId: idOf(world, 'AWSPENDING'), string };
    },
  },
  superseded: {
    means: 'replaced, in its grace period (AWSPREVIOUS)',
    arrange: (world) => replaced(world, 0),
  },
  fenced: {
    means: 'replaced, and AWSPREVIOUS was taken off its version',
    arrange: (world) => replaced(world, 1),
  },
  quarantined: {
    means: 'replaced, and its permissions were taken away',
    arrange: (world) => replaced(world, 2),
  },
  adopted: {
    means: 'made by hand, and taken over with `adopt`',
    arrange: (world) =>
      Promise.resolve({
        name: 'legacy',
        secret: LEGACY,
        database: 'archive',
        tokenId: world.holders(LEGACY).AWSCURRENT ?? '',
        string: world.string(LEGACY),
      }),
  },
  foreign: {
    means: 'a person took its marker away; AWSCURRENT still names it',
    async arrange(world) {
      await world.people.changeToken(idOf(world), { description: 'whose is this?' });
      return {};
    },
  },
  unknown: {
    means: 'made by hand and saved in the console (AWSCURRENT): nobody knows whose string that is',
    async arrange(world) {
      const made = await world.people.mint({
        description: 'by hand',
        permissions: write('metrics'),
      });
      await world.people.saveValue(TELEGRAF, made.accessToken);
      return { tokenId: made.id, string: made.accessToken };
    },
  },
  gone: {
    means: 'deleted by a person; AWSCURRENT still names it',
    async arrange(world) {
      const old = current(world);
      await world.people.deleteToken(old.tokenId);
      return old;
    },
  },
  frozen: {
    means: 'on hold since `keyturn revoke --freeze`',
    async arrange(world) {
      await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'odd writes' });
      return {};
    },
  },
  deleted: {
    means: 'on hold since `keyturn revoke --delete`',
    async arrange(world) {
      const old = current(world);
      await world.revoke({ token: 'telegraf', way: 'delete', reason: 'odd writes' });
      return old;
    },
  },
  'secret scheduled for deletion': {
    means: 'somebody deleted its secret, which can be restored for thirty days',
    async arrange(world) {
      await world.people.deleteSecret(TELEGRAF);
      return {};
    },
  },
  'secret missing': {
    means: 'its secret was deleted for good',
    async arrange(world) {
      const old = current(world);
      await world.people.deleteSecret(TELEGRAF, 'for good');
      return old;
    },
  },
  'wrong account': {
    means: 'Secrets Manager shows no secret of the owner',
    arrange: nothing,
    meanwhile: meets('secrets-manager', (operation) =>
      operation === 'ListSecrets' ? { status: 200, body: '{"SecretList": []}' } : notThere,
    ),
  },
  'AWS down': {
    means: 'Secrets Manager answers errors; the management token comes from elsewhere',
    arrange: nothing,
    meanwhile: meets('secrets-manager', () => ({
      status: 500,
      body: '{"__type": "InternalServiceError", "Message": "An error occurred on the server side."}',
    })),
  },
  'data plane down': {
    means: 'no query and no write reaches the cluster',
    arrange: nothing,
    meanwhile: meets('data-plane', () => ({ status: 503, body: '' })),
  },
  'Management API down': {
    means: 'it answers errors',
    arrange: nothing,
    meanwhile: meets('management-api', () => ({
      status: 503,
      body: '{"code": 503, "message": "out of order"}',
    })),
  },
} as const satisfies Readonly<Record<string, State>>;

export type StateName = keyof typeof STATES;

/** Undefined: both servers answer as they should. */
export function meanwhileOf(name: StateName): Interceptor | undefined {
  const { meanwhile }: State = STATES[name];
  return meanwhile;
}

/** Several routers that hear late of everything, two tokens issued and one adopted. */
export async function openStates(): Promise<World> {
  const world = await openWorld(policy, {
    databases,
    activationDelayMs: 5_000,
    revocationDelayMs: 5_000,
    routers: { count: 3, spreadMs: 5_000 },
  });
  // One after the other, so that each gets the same id every time.
  await world.rotate({ tokens: ['telegraf'] });
  await world.rotate();
  const made = await world.people.mint({ description: 'legacy', permissions: write('archive') });
  await world.people.createSecret(LEGACY, made.accessToken);
  await world.wait(HOUR);
  const legacy = {
    permissions: { write: ['archive'] },
    secret: LEGACY,
    adopt: { tokenId: made.id },
  };
  const adopting = world.deploy({ ...policy, tokens: { ...tokens, legacy } });
  await adopting.rotate();
  await world.wait(2 * HOUR);
  return { ...world, ...adopting };
}

/** Brings a state about, and names the token that is in it. */
export async function arrange(world: World, name: StateName): Promise<Subject> {
  const usual = { name: 'telegraf', secret: TELEGRAF, database: 'metrics' };
  const before = current(world);
  const subject = { ...usual, ...before, ...(await STATES[name].arrange(world)) };
  await world.wait(5 * MINUTE);
  return subject;
}
