import { expect, test } from 'vitest';
import { readPlanReport, readRotation } from '../../bin/keyturn/answers.ts';
import { FunctionError } from '../../bin/keyturn/failure.ts';
import { exitCodeOf, type Status, statusOf } from '../../bin/keyturn/status-report.ts';
import { formatStatus, statusJson } from '../../bin/keyturn/status-text.ts';
import { documentMark } from '../../functions/policy/document-mark.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import type { ScheduleStatus } from '../../functions/schedules/schedule-status.ts';
import type { Interceptor, Reply } from '../../sandbox/interception.ts';
import { openOAuthWorld } from '../functions/identity-provider/open-oauth-world.ts';
import { answering } from '../world/faults.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import type { Answered, Deployment, World } from '../world/world.ts';

const GRAFANA = 'keyturn/prod/grafana';
const both = { permissions: { read: ['telemetry'], write: ['telemetry'] } };
/** Two entries, so that one shows that the cluster accepts anybody. */
const tokens = { telegraf: both, grafana: both };
const force = { tokens: ['telegraf'], force: true };

/** In a world in which all else is well. */
async function open(policy: object = policyWith(tokens)): Promise<World> {
  const world = await openWorldForTest(policy, { activationDelayMs: 0, revocationDelayMs: 0 });
  await expiresIn(world, 90);
  return world;
}

async function expiresIn(world: World, days: number): Promise<void> {
  const expiresAt = new Date(world.clock.now() + days * DAY).toISOString();
  const { managementToken: token } = world.cluster;
  await world.people.saveValue(MANAGEMENT_SECRET, JSON.stringify({ token, expiresAt }));
}

const reportOf = <T>({ result, error }: Answered, read: (answer: unknown) => T): T | Error =>
  error
    ? new FunctionError(error.errorType, error.errorMessage)
    : read(JSON.parse(JSON.stringify(result)));

/** What `keyturn status` says, as people and machines read it. */
async function look(
  world: World,
  {
    deployed = world,
    probe = true,
    file = deployed.policy,
    cut = (answer) => answer,
  }: {
    readonly deployed?: Deployment;
    readonly probe?: boolean;
    readonly file?: object;
    /** What Lambda has no room for goes from the answer of `rotate`. */
    readonly cut?: <T extends object>(answer: T) => T;
  } = {},
) {
  const looks = {
    rotate: reportOf(await deployed.rotate({ dryRun: true, ...(probe && { probe }) }), (answer) =>
      readRotation(cut(Object(answer))),
    ),
    reap: reportOf(await deployed.reap({ dryRun: true }), readPlanReport),
    enforce: reportOf(await deployed.enforce({ dryRun: true }), readPlanReport),
  };
  const policy = parsePolicy(file);
  const now = world.clock.now();
  const schedules = Object.entries(looks).map(([job, report]): ScheduleStatus => {
    const name = `keyturn-prod-${job}`;
    // Of a function that does not answer, one's own credentials say it.
    if (report instanceof Error) return { name, state: 'on' };
    return report.schedule ?? { name, state: 'unknown' };
  });
  const status = statusOf({ policy, mark: documentMark(file) }, looks, schedules, now);
  const text = formatStatus(status, (_style, shown) => shown, now);
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  return { status, text, code: exitCodeOf(status), json: statusJson(status, policy) };
}

/** A row and what stands below it, in one line. */
function rowOf(text: string, name = 'telegraf'): string {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith(`${name} `));
  const to = lines.findIndex((line, index) => index > from && !line.startsWith('  '));
  return lines
    .slice(from, to)
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))
    .join(' ');
}

const of = (status: Status, name: string) => status.tokens.find(({ token }) => token === name);

test('the row of a token says the truth over its whole life, and all of it is well', async () => {
  const world = await open(
    policyWith({ telegraf: { ...both, rotateEvery: '10d' }, grafana: both }),
  );
  const missing = await look(world);
  expect(rowOf(missing.text)).toBe('telegraf | missing | not asked | now has no token');
  expect(missing.code).toBe(6);

  await world.rotate();
  const [first = ''] = world.tokens(TELEGRAF).map(({ id }) => id);
  const short = (id: string | undefined) => (id ?? '').slice(0, 8);
  const isWell = async (next: RegExp, current: string | undefined) => {
    const { text, code, json } = await look(world);
    expect(rowOf(text)).toMatch(
      new RegExp(
        `^telegraf \\| works \\| accepted \\| ${short(current)} \\| ${next.source} \\| in \\d+d\\S*$`,
      ),
    );
    expect(text).toMatch(/\n\nEverything was looked at and is well\.$/);
    expect(code).toBe(0);
    expect(json).toMatchObject({
      verdict: 'well',
      tokens: [{ token: 'telegraf', tokenId: current, accepted: 'accepted', problems: [] }, {}],
    });
  };
  await isWell(/in 9d\S*/, first);

  await world.wait(9 * DAY + 23 * HOUR);
  await isWell(/now/, first);
  await world.rotate();
  const { AWSPENDING: second } = world.holders(TELEGRAF);
  await isWell(/armed, in \d+m\S*/, first);
  await world.wait(10 * MINUTE);
  await isWell(/now/, first);
  await world.rotate();
  await isWell(/in 9d\S*/, second);
  const states = () =>
    world.tokens(TELEGRAF).map(({ id, marker, permissions }) => ({
      id,
      superseded: marker?.superseded !== undefined,
      quarantined: marker?.quarantined !== undefined,
      permissions: permissions.length,
    }));
  expect(states()).toContainEqual({
    id: first,
    superseded: true,
    quarantined: false,
    permissions: 2,
  });

  for (let hour = 0; hour < 52; hour += 1) {
    await world.wait(HOUR);
    await world.reap();
  }
  expect(states()).toContainEqual({
    id: first,
    superseded: true,
    quarantined: true,
    permissions: 0,
  });
  await isWell(/in 7d\S*/, second);
  for (let hour = 0; hour < 7 * 24 + 1; hour += 1) {
    await world.wait(HOUR);
    await world.reap();
  }
  expect(states().map(({ id }) => id)).toEqual([second]);
  await isWell(/in \d+\S*/, second);
});

const dataPlane = (answer: Reply, every = 1): Interceptor => {
  let asked = 0;
  return (call, effect) => {
    if (call.server !== 'data-plane') return Promise.resolve(effect());
    asked += 1;
    return Promise.resolve(asked % every === 0 ? answer : effect());
  };
};

const blindRotate =
  (world: World): Interceptor =>
  (call, effect) =>
    Promise.resolve(
      world.origin(call)?.job === 'rotate' && call.server === 'management-api'
        ? { status: 403, body: '{"code":403,"message":"no"}' }
        : effect(),
    );

const HAND_MADE = {
  description: 'by hand',
  permissions: ['read', 'write'].map((action) => ({ action, resource: 'telemetry' })),
};

interface BadDay {
  readonly policy?: object;
  /** What happens to a deployment whose two tokens work. */
  arrange(world: World): unknown;
  /** Between what happened and the look; else nothing. */
  readonly waits?: number;
  /** The row of `telegraf`, and its notes; in place of the id of a token stands `ID`. */
  readonly row: RegExp;
  readonly code: number;
  /** What the rest says. */
  readonly says?: RegExp;
}

const strip = (world: World, permissions: readonly { action: string; resource: string }[]) =>
  world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, { permissions });

const put = (world: World, token: string) =>
  world.people.saveValue(TELEGRAF, JSON.stringify({ ...JSON.parse(world.value(TELEGRAF)), token }));

const WELL = /^telegraf \| works \| accepted \| ID \| in \d+d\S* \| in \d+d\S*$/;

const twelve = Object.fromEntries(
  ['telegraf', ...Array.from({ length: 11 }, (_, index) => `consumer-${index}`)].map((name) => [
    name,
    both,
  ]),
);

const days: Readonly<Record<string, BadDay>> = {
  nothing: { arrange: async () => {}, row: WELL, code: 0, says: /Everything was looked at/ },
  'a person saved the secret as it is': {
    arrange: (world) => world.people.saveValue(TELEGRAF, world.value(TELEGRAF)),
    row: WELL,
    code: 0,
  },
  'a person pasted the value back that was there before': {
    async arrange(world) {
      const before = world.value(TELEGRAF);
      await world.rotate(force);
      await world.people.saveValue(TELEGRAF, before);
    },
    row: /^telegraf \| works \| accepted \| ID \| (now|in \d+d\S*) \| in \d+d\S*$/,
    code: 0,
  },
  'a person put a token made by hand': {
    async arrange(world) {
      const { accessToken } = await world.people.mint(HAND_MADE);
      await put(world, accessToken);
    },
    row: /^telegraf \| unknown \| accepted \| .*has a string that nobody knows/,
    code: 6,
  },
  'a placeholder': {
    arrange: (world) => world.people.saveValue(TELEGRAF, 'CHANGE_ME'),
    waits: 10 * MINUTE,
    row: /^telegraf \| unknown \| refused \| .*has a string that nobody knows/,
    code: 6,
  },
  'a placeholder that was refused for hours': {
    arrange: (world) => world.people.saveValue(TELEGRAF, 'CHANGE_ME'),
    waits: 2 * HOUR,
    row: /^telegraf \| unknown \| refused \| now has a string that nobody knows/,
    code: 6,
  },
  'bytes in place of a text': {
    arrange: (world) => world.people.saveBytes(TELEGRAF, 'bytes'),
    row: /^telegraf \| unknown \| not asked \| .*has a string that nobody knows/,
    code: 6,
  },
  'a person took its marker away': {
    arrange: (world) =>
      world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, { description: 'mine' }),
    row: /^telegraf \| works \| accepted \| ID \| .*marker/,
    code: 6,
  },
  'a person took all permissions': {
    arrange: (world) => strip(world, []),
    row: /^telegraf \| stripped \| refused \| ID \| in \d+d\S* lacks permissions: .* a person took its permissions away/,
    code: 6,
  },
  'a person took one permission': {
    arrange: (world) => strip(world, [{ action: 'read', resource: 'telemetry' }]),
    row: /^telegraf \| stripped \| unclear \| ID \| .*the cluster refuses its string for some: 5 of 10 probes/,
    code: 6,
  },
  'a freeze': {
    arrange: (world) => world.revoke({ way: 'freeze', token: 'telegraf', reason: 'drill' }),
    row: /^telegraf \| held \| refused \| ID \| in \d+d\S* on hold \(frozen\) until keyturn unfreeze$/,
    code: 6,
  },
  'a deletion by order': {
    arrange: (world) => world.revoke({ way: 'delete', token: 'telegraf', reason: 'drill' }),
    row: /^telegraf \| held \| refused .*until keyturn lift$/,
    code: 6,
  },
  'its secret is scheduled for deletion': {
    arrange: (world) => world.people.deleteSecret(TELEGRAF),
    row: /^telegraf \| deleted \| not asked \| ID \| .*its secret is scheduled for deletion/,
    code: 6,
  },
  'its secret was deleted for good': {
    arrange: (world) => world.people.deleteSecret(TELEGRAF, 'for good'),
    row: /^telegraf \| missing \| not asked \| now has no token/,
    code: 6,
  },
  'a rotation by Secrets Manager was cancelled, and its version has no value': {
    arrange: (world) => world.people.cancelRotation(TELEGRAF),
    row: WELL,
    code: 0,
  },
  'Secrets Manager rotated it, and a person deleted that token': {
    async arrange(world) {
      await world.wait(HOUR);
      await world.rotateSecret(TELEGRAF);
      await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
    },
    row: /^telegraf \| gone \| refused \| now its token is gone$/,
    code: 6,
  },
  'a person went back to the version before': {
    async arrange(world) {
      await world.wait(HOUR);
      await world.rotate(force);
      await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
    },
    row: /^telegraf \| works \| accepted \| ID \| .*$/,
    code: 0,
  },
  'the tag of its owner is lost': {
    arrange: (world) => world.people.untag(TELEGRAF, ['keyturn:owner']),
    waits: HOUR,
    row: /^telegraf \| missing \| accepted keyturn\/prod\/telegraf has no owner; to take it over: /,
    code: 6,
  },
  'its secret became a replica': {
    arrange: ({ aws }) => {
      const saved = aws.snapshot();
      const secret = saved.secrets[TELEGRAF];
      if (!secret) throw new Error('there is no secret');
      const secrets = {
        ...saved.secrets,
        [TELEGRAF]: { ...secret, primaryRegion: 'eu-central-1' },
      };
      aws.restore({ ...saved, secrets });
    },
    row: /^telegraf \| replica \| accepted \| ID \| in \d+d\S*$/,
    code: 0,
  },
  'a person deleted the token': {
    arrange: (world) => world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT),
    row: /^telegraf \| gone \| refused \| now its token is gone$/,
    code: 6,
  },
  'a person deleted more tokens than the limit allows': {
    policy: policyWith(tokens, { limits: { percent: 0, tokens: 0 } }),
    arrange: (world) => world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT),
    row: /^telegraf \| gone \| refused \| refused its token is gone what is to be done waits: keyturn apply --approve \w{16}$/,
    code: 6,
    says: /\nrefused \(rotate\): 1 token would be replaced because it is gone; [\s\S]*\n {2}keyturn apply --approve \w{16}\n/,
  },
  'it expired': {
    policy: policyWith({
      ...tokens,
      telegraf: { ...both, expiresAfter: '30d', rotateEvery: '10d', renewBefore: '10d' },
    }),
    arrange: async () => {},
    waits: 31 * DAY,
    row: /^telegraf \| expired \| refused \| ID \| now \| 1d\S* ago expired its rotation is late/,
    code: 6,
  },
  'it expires within a day': {
    policy: policyWith({
      ...tokens,
      telegraf: { ...both, expiresAfter: '30d', rotateEvery: '10d', renewBefore: '10d' },
    }),
    arrange: async () => {},
    waits: 30 * DAY - 4 * HOUR,
    row: /^telegraf \| expiring \| accepted \| ID \| now \| in 3h\S* expires soon its rotation is late/,
    code: 6,
  },
  'nobody rotated it for weeks': {
    arrange: async () => {},
    waits: 40 * DAY,
    row: /^telegraf \| works \| accepted \| ID \| now \| in 49d\S* its rotation is late$/,
    code: 6,
  },
  'the string of another secret was copied into it': {
    arrange: (world) => world.people.saveValue(TELEGRAF, world.value(GRAFANA)),
    row: /^telegraf \| shared \| accepted \| .*has the string of another secret/,
    code: 6,
  },
  'the cluster refuses it though it is well': {
    arrange: async (world) => world.intercept(dataPlane({ status: 401, body: '' })),
    row: /^telegraf \| works \| refused \| ID \| .* the cluster refuses its string: GET \/query answered 401|POST/,
    code: 6,
  },
  'one router of many refuses it': {
    arrange: async (world) => world.intercept(dataPlane({ status: 401, body: '' }, 7)),
    row: /^telegraf \| works \| unclear \| ID \| .* the cluster refuses its string for some: [12] of 10 probes/,
    code: 6,
  },
  'it is refused by all that say something': {
    arrange: (world) => {
      let asked = 0;
      world.intercept((call, effect) => {
        if (call.server !== 'data-plane') return Promise.resolve(effect());
        asked += 1;
        return Promise.resolve({ status: asked % 10 === 0 ? 429 : 401, body: '' });
      });
    },
    row: /^telegraf \| works \| unclear \| ID \| .* the cluster refuses its string for some: 9 of 10 probes were refused/,
    code: 6,
  },
  'nobody may read its value': {
    arrange: async (world) =>
      world.intercept((call, effect) =>
        Promise.resolve(
          call.operation === 'GetSecretValue' && call.subject?.includes('telegraf')
            ? { status: 400, body: '{"__type":"AccessDeniedException","message":"no key"}' }
            : effect(),
        ),
      ),
    row: /^telegraf \| works \| not asked \| ID .*the cluster was not asked: its value could not be read: .*GetSecretValue of keyturn\/prod\/telegraf.*no key/,
    code: 7,
  },
  'the management token expired': {
    arrange: (world) => expiresIn(world, -3),
    row: WELL,
    code: 6,
    says: /\nmanagement token {2}expired 3d ago\n/,
  },
  'the data plane is out of order': {
    arrange: async (world) => world.intercept(dataPlane({ status: 503, body: 'down' })),
    row: /^telegraf \| works \| unclear \| ID \| .*not known whether the cluster accepts it: .*503/,
    code: 7,
    says: /Nothing bad was seen, and not everything was: not known of 2 of 2 tokens\.$/,
  },
  'its tokens are of another cluster': {
    arrange: (world) =>
      world.people.tag(TELEGRAF, { 'keyturn:cluster': 'https://old.example.com' }),
    row: /^telegraf \| works \| not asked \| ID \| .*waits: keyturn apply --approve \w{16} the cluster was not asked: its tokens are of another cluster$/,
    code: 6,
    says: /refused \(rotate\): 1 secret has tokens of https:\/\/old/,
  },
  'what it replaced was ended before its time': {
    async arrange(world) {
      await world.wait(2 * HOUR);
      await world.rotate(force);
      await world.wait(HOUR);
      await world.people.changeToken(world.holders(TELEGRAF).AWSPREVIOUS, { permissions: [] });
    },
    row: /^telegraf \| cut-short \| accepted \| ID \| .*the token that it replaced does not work/,
    code: 6,
  },
  'a database of its own was deleted, that no rule declares': {
    policy: policyWith(tokens, { databases: [] }),
    arrange: (world) => world.people.deleteDatabase('telemetry'),
    row: /^telegraf \| no-database \| .*a database that it may use does not exist/,
    code: 6,
  },
  'an adoption names a token that is none': {
    policy: policyWith({
      telegraf: {
        ...both,
        secret: 'team/telegraf',
        adopt: { tokenId: '6f1c6f1e-0000-4000-8000-000000000000' },
      },
      grafana: both,
    }),
    arrange: (world) => world.people.createSecret('team/telegraf', 'apiv1_abc'),
    row: /^telegraf \| unadopted \| refused is not adopted yet; .* no token has the id/,
    code: 6,
  },
  'strangers, and tokens for ever': {
    arrange: (world) =>
      world.people.mint({
        description: 'a notebook',
        permissions: [{ action: 'read', resource: '*' }],
      }),
    row: WELL,
    code: 0,
    says: /1 token .*[\s\S]*Everything was looked at and is well/,
  },
  'a database drifts': {
    policy: policyWith(tokens, {
      databases: [{ name: 'telemetry', maxTables: 400 }, { name: 'quality' }],
    }),
    arrange: async () => {},
    row: WELL,
    code: 6,
    says: /\ntelemetry {2}drift\n {2}maxTables telemetry 500 -> 400[\s\S]*\nquality {4}in order\n[\s\S]*Not well: 1 of 2 databases\.$/,
  },
  'a shorter retention has no approval': {
    policy: policyWith(tokens, { databases: [{ name: 'telemetry', retention: '30d' }] }),
    arrange: async () => {},
    row: WELL,
    code: 6,
    says: /\ntelemetry {2}refused\n {2}retention telemetry /,
  },
  'a database that a rule names is not there': {
    arrange: (world) => world.people.deleteDatabase('quality'),
    row: WELL,
    code: 6,
    says: /\nquality {4}drift\n {2}quality \(policy.*does not exist/,
  },
  'the management token ends in ten days': {
    arrange: (world) => expiresIn(world, 10),
    row: WELL,
    code: 6,
    says: /\nmanagement token {2}expires in 10d\n[\s\S]*Not well: the management token\.$/,
  },
  'the management token never ends': {
    arrange: ({ people, cluster: { managementToken: token } }) =>
      people.saveValue(MANAGEMENT_SECRET, JSON.stringify({ token, expiresAt: 'never' })),
    row: WELL,
    code: 0,
    says: /\nmanagement token {2}never expires\n/,
  },
  'the expiry of the management token cannot be read': {
    arrange: ({ people, cluster: { managementToken: token } }) =>
      people.saveValue(MANAGEMENT_SECRET, JSON.stringify({ token, expiresAt: 'soon' })),
    row: WELL,
    code: 7,
    says: /expiry unknown: the expiresAt in its secret is no instant/,
  },
  'nobody knows when the management token ends': {
    arrange: (world) => world.people.saveValue(MANAGEMENT_SECRET, world.cluster.managementToken),
    row: WELL,
    code: 7,
    says: /expiry unknown[\s\S]*not known of the management token\.$/,
  },
  'a schedule is off': {
    arrange: ({ aws }) => {
      const { 'default/keyturn-prod-reap': reap } = aws.state.schedules;
      if (reap) aws.deploySchedule({ ...reap, State: 'DISABLED' });
    },
    row: WELL,
    code: 6,
    says: /\n {2}rotate: on\n {2}reap: off[\s\S]*Not well: 1 of 3 schedules\.$/,
  },
  'schedules cannot be read': {
    arrange: async (world) =>
      world.intercept(async (call, effect) =>
        call.server === 'scheduler' ? { status: 403, body: '{}' } : effect(),
      ),
    row: WELL,
    code: 7,
    says: /\n {2}reap: not known\n[\s\S]*not known of 3 of 3 schedules\.$/,
  },
  'people put tokens made by hand into four of twelve secrets': {
    policy: policyWith(twelve),
    async arrange(world) {
      for (const name of ['telegraf', ...Object.keys(twelve).slice(-3)]) {
        const { accessToken } = await world.people.mint(HAND_MADE);
        const secret = `keyturn/prod/${name}`;
        const value = JSON.parse(world.value(secret));
        await world.people.saveValue(secret, JSON.stringify({ ...value, token: accessToken }));
      }
    },
    row: /^telegraf \| unknown \| accepted \| in \d+d\S* has a string that nobody knows AWSCURRENT .*rotate it by name to replace it$/,
    code: 6,
    says: /\nconsumer-7 +works[\s\S]*\nconsumer-8 +unknown[\s\S]*\nNot well: 4 of 12 tokens\.$/,
  },
  'a rotation by Secrets Manager minted a token and could not save it': {
    async arrange(world) {
      await world.wait(HOUR);
      world.intercept(async (call, effect) =>
        call.operation === 'PutSecretValue' ? { status: 500, body: '{}' } : effect(),
      );
      await world.rotateSecret(TELEGRAF);
      world.intercept();
    },
    row: WELL,
    code: 0,
    says: /\n[3-9] tokens in 2 secrets\n/,
  },
  'many expired tokens of others would be deleted at once': {
    policy: policyWith(tokens, { expiredForeignTokens: 'delete' }),
    async arrange(world) {
      const expiresAt = `${new Date(world.clock.now() + HOUR).toISOString().slice(0, 19)}Z`;
      for (let count = 0; count < 20; count += 1) {
        await world.people.mint({ description: `of ${count}`, permissions: [], expiresAt });
      }
    },
    waits: 2 * HOUR,
    row: WELL,
    code: 6,
    says: /\nrefused \(reap\): 20 expired tokens of others would be deleted; the limit is 6\n {2}keyturn apply --approve \w{16}\n[\s\S]*Not well: 1 refusal to read\.$/,
  },
  'the databases cannot be listed': {
    arrange: async (world) =>
      world.intercept(answering('GET /databases', { status: 503, body: 'away' })),
    row: WELL,
    code: 7,
    says: /\ntelemetry {2}unknown\n[\s\S]*enforce could not be asked: GET [\s\S]*not known of[\s\S]*, the list of\s+databases\.$/,
  },
  'a secret of somebody else says it is ours, and of another cluster': {
    async arrange(world) {
      await world.people.createSecret('stray/secret', 'apiv1_stray');
      await world.people.tag('stray/secret', {
        'keyturn:owner': 'prod',
        'keyturn:cluster': 'https://old.example.com',
      });
    },
    row: WELL,
    code: 6,
    says: /\nstray\/secret: its tokens are of https:\/\/old\.example\.com; they are left alone,[\s\S]*Not well: 3 other findings\.$/,
  },
  'reap cannot be asked': {
    arrange: async (world) =>
      world.intercept(async (call, effect) =>
        world.origin(call)?.job === 'reap' && call.server === 'management-api'
          ? { status: 403, body: '{"code":403,"message":"no"}' }
          : effect(),
      ),
    row: WELL,
    code: 7,
    says: /reap could not be asked: [\s\S]*not known of what reap would\s+say\.$/,
  },
  'rotate cannot be asked': {
    arrange: async (world) => world.intercept(blindRotate(world)),
    row: /^telegraf \| \? \| \?$/,
    code: 7,
    says: /rotate could not be asked: /,
  },
  'a database that no rule is about keeps data for half an hour, perhaps on purpose': {
    arrange: ({ people }) =>
      people.changeDatabase('telemetry', { retentionPeriod: 1_800_000_000_000 }),
    policy: policyWith(tokens, { databases: [] }),
    row: WELL,
    code: 0,
    says: /\ntelemetry keeps what is written for 30m, under an hour/,
  },
  'a database keeps data for half an hour, and its rule says no retention': {
    arrange: ({ people }) =>
      people.changeDatabase('telemetry', { retentionPeriod: 1_800_000_000_000 }),
    policy: { ...policyWith(tokens), databases: [{ name: 'telemetry', maxTables: 500 }] },
    row: WELL,
    code: 6,
    says: /\ntelemetry {2}at risk\n {2}telemetry keeps what is written for 30m, under an hour[\s\S]*Not well: 1 of 1 database\.$/,
  },
  'enforce cannot be asked': {
    arrange: async (world) =>
      world.intercept(async (call, effect) =>
        world.origin(call)?.job === 'enforce' && call.server === 'management-api'
          ? { status: 403, body: '{"code":403,"message":"no"}' }
          : effect(),
      ),
    row: WELL,
    code: 7,
    says: /\ntelemetry {2}unknown\n/,
  },
};

test.each(Object.entries(days))('what status says on this day: %s', async (_day, day) => {
  const world = await open(day.policy);
  await world.rotate();
  await day.arrange(world);
  await world.wait(day.waits ?? 0);
  await (day.waits === undefined ? undefined : expiresIn(world, 90));
  const { text, code, status } = await look(world);
  const id = of(status, 'telegraf')?.entry?.tokenId?.slice(0, 8) ?? 'no id';
  expect(rowOf(text).replace(id, 'ID')).toMatch(day.row);
  if (day.says) expect(text).toMatch(day.says);
  expect(code).toBe(day.code);
});

test('an adoption that names the token of another team, which may do the same, is not called well', async () => {
  const world = await open(policyWith({ grafana: both }));
  await world.rotate();
  const [mine, theirs] = [await world.people.mint(HAND_MADE), await world.people.mint(HAND_MADE)];
  await world.people.createSecret('team/telegraf', mine.accessToken);
  const adopt = { tokenId: theirs.id };
  const deployed = world.deploy(
    policyWith({ telegraf: { ...both, secret: 'team/telegraf', adopt }, grafana: both }),
  );
  await deployed.rotate();
  const { text, code } = await look(world, { deployed });
  expect(world.accepts(theirs.accessToken)).toBe(true);
  expect(rowOf(text)).toMatch(
    /^telegraf \| unadopted \| accepted \| once adopted is not adopted yet; its consumers have what was there before$/,
  );
  expect(text).toMatch(/\nNot well: 1 of 2 tokens\.$/);
  expect(code).toBe(6);
});

test('of what an answer had no room for nothing is said to be well', async () => {
  const world = await open(policyWith({ ...tokens, extra: both }));
  await world.rotate();
  const { text, code } = await look(world, {
    cut: (answer) => ({
      ...answer,
      entries: [],
      leftOut: [{ list: 'entries', shown: 0, of: 2, kinds: { works: 2 } }],
    }),
  });
  expect(rowOf(text, 'extra')).toBe(
    'extra | ? | ? the answer had no room for it; --local shows it',
  );
  expect(code).toBe(7);
});

test('of what the deployed policy lacks nothing is said to be well, and every function with another policy is named', async () => {
  const world = await open(policyWith(tokens, { databases: [{ name: 'telemetry' }] }));
  await world.rotate();
  expect((await look(world)).code).toBe(0);
  const extra = await look(world, {
    file: {
      ...world.policy,
      ...policyWith({ ...tokens, extra: both }, { databases: [{ name: 'telemetry' }] }),
    },
  });
  expect(rowOf(extra.text)).toMatch(/^telegraf \| works \| accepted \| /);
  expect(rowOf(extra.text, 'extra')).toBe(
    'extra | ? | ? not in the deployed policy (secret keyturn/prod/extra)',
  );
  expect(extra.text).toMatch(/\ntelemetry {2}in order\n/);
  for (const job of ['rotate', 'reap', 'enforce']) {
    expect(extra.text.replaceAll(/\s+/g, ' ')).toContain(
      `${job} was deployed with another policy than the file: they differ in tokens.extra`,
    );
  }
  expect(extra.code).toBe(7);
  expect(extra.json).toMatchObject({
    verdict: 'unknown',
    otherPolicies: ['rotate', 'reap', 'enforce'].map((job) => ({ job, keys: ['tokens.extra'] })),
  });

  const rules = [{ name: 'telemetry' }, { name: 'other', maxTables: 3 }];
  const more = await look(world, {
    file: { ...world.policy, ...policyWith(tokens, { databases: rules }) },
  });
  expect(more.text).toMatch(
    /\ntelemetry {2}unknown\n {2}the rules of the deployed policy are others/,
  );
  expect(more.text).toMatch(/\nother {6}unknown\n/);
  expect(more.code).toBe(7);
});

test('a token of others on a database that is not there, and a rule that fits nothing, are no trouble', async () => {
  const world = await open(
    policyWith(tokens, { databases: [{ name: 'telemetry' }, { match: 'tmp_*', maxTables: 100 }] }),
  );
  await world.rotate();
  await world.people.mint({
    description: 'somebody',
    permissions: [{ action: 'read', resource: 'not_there' }],
  });
  const { text, code } = await look(world);
  expect(text).toContain('with a permission on a database that does not exist');
  expect(text).toContain('matches no database');
  expect(code).toBe(0);
});

test('a successor that every run finds refused is not said to come now', async () => {
  const world = await open(
    policyWith({ telegraf: { ...both, rotateEvery: '10d' }, grafana: both }),
  );
  await world.rotate();
  await world.wait(10 * DAY);
  world.cluster.activationDelayMs = 100 * DAY;
  for (let run = 0; run < 6; run += 1) {
    await world.rotate();
    await world.wait(30 * MINUTE);
  }
  const { status, text } = await look(world);
  expect(of(status, 'telegraf')?.nextRotation).toBe('armed, waits: refused');
  expect(rowOf(text)).toContain(' | armed, waits: refused | ');
});

test('an entry whose secret is another one in the file has both rows', async () => {
  const world = await open(policyWith(tokens, { databases: [{ name: 'telemetry' }] }));
  await world.rotate();
  const { status, code } = await look(world, {
    file: {
      ...world.policy,
      ...policyWith(
        { ...tokens, telegraf: { ...both, secret: 'elsewhere/telegraf' } },
        { databases: [{ name: 'telemetry' }] },
      ),
    },
  });
  expect(status.tokens.map(({ secret, verdict }) => [secret, verdict])).toEqual([
    [TELEGRAF, 'well'],
    [GRAFANA, 'well'],
    ['elsewhere/telegraf', 'unknown'],
  ]);
  expect(code).toBe(7);
});

test('what reap found of an entry is said where rotate cannot be asked', async () => {
  const world = await open();
  await world.rotate();
  await world.people.hold(TELEGRAF, 'frozen');
  world.intercept(blindRotate(world));
  const { text, code, json } = await look(world);
  expect(rowOf(text)).toMatch(/^telegraf \| \? \| \? on hold \(frozen\)/);
  expect(rowOf(text, 'grafana')).toBe('grafana | ? | ?');
  expect(code).toBe(6);
  expect(json).toMatchObject({
    tokens: [{ verdict: 'not well', problems: [expect.stringMatching(/hold/)] }, {}],
  });
});

test('a management token that an identity provider renews is well', async () => {
  const world = await openOAuthWorld(policyWith(tokens), {
    activationDelayMs: 0,
    revocationDelayMs: 0,
  });
  await world.rotate();
  const { text, code } = await look(world);
  expect(text).toMatch(/\nmanagement token {2}renewed by the identity provider\n/);
  expect(code).toBe(0);
});

const refusing = (code: string, status: number): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: code }),
});
const providerAnswers: readonly (readonly [string, Reply, code: number, row: string])[] = [
  ...(
    [
      ['invalid_client', 401],
      ['unauthorized_client', 400],
      ['invalid_scope', 400],
      ['access_denied', 403],
      ['a word of its own', 401],
    ] as const
  ).map(([code, status]) => {
    const row = 'no run can use it: what could not be asked says why';
    return [`refuses its client (${code})`, refusing(code, status), 6, row] as const;
  }),
  ...(
    [
      ['temporarily_unavailable', 400],
      ['server_error', 500],
      ['invalid_client', 503],
      ['slow_down', 400],
    ] as const
  ).map(([code, status]) => {
    const row = 'unknown: no answer says it';
    return [`may yet give one (${code}, ${status})`, refusing(code, status), 7, row] as const;
  }),
  ...[404, 403].map((status) => {
    const row = 'unknown: no answer says it';
    return [`is a page (${status})`, { status, body: '<html>' }, 7, row] as const;
  }),
];
test.each(providerAnswers)(
  'of a management token whose identity provider %s is said whether any run can use it',
  async (_what, answer, expected, row) => {
    const world = await openOAuthWorld(policyWith(tokens), {
      activationDelayMs: 0,
      revocationDelayMs: 0,
    });
    world.intercept(async (call, effect) =>
      call.server === 'identity-provider' ? answer : effect(),
    );
    const { text, code, json, status } = await look(world);
    expect(text).toContain(`\nmanagement token  ${row}\n`);
    expect(code).toBe(expected);
    const verdict = expected === 6 ? 'not well' : 'unknown';
    expect(status.managementToken.verdict).toBe(verdict);
    expect(json).toMatchObject({ verdict, managementToken: { verdict } });
  },
);

test('an identity provider that refuses some functions, and one that has a token still, is not well', async () => {
  const world = await openOAuthWorld(policyWith(tokens), {
    activationDelayMs: 0,
    revocationDelayMs: 0,
  });
  await world.rotate();
  world.intercept(async (call, effect) =>
    call.server === 'identity-provider' ? refusing('invalid_client', 401) : effect(),
  );
  const { text, code, json } = await look(world);
  expect(text.replaceAll(/\s+/g, ' ')).toContain(
    'management token reap, enforce cannot use it: what could not be asked says why',
  );
  expect(code).toBe(6);
  expect(json).toMatchObject({
    managementToken: { by: 'identity provider', uselessTo: ['reap', 'enforce'] },
  });
});

test('without a probe nothing is called accepted, and nothing is called well', async () => {
  const world = await open();
  await world.rotate();
  const { text, code } = await look(world, { probe: false });
  expect(rowOf(text)).toMatch(/^telegraf \| works \| not asked \| /);
  expect(code).toBe(7);
});

test('of two findings of one kind about one secret none hides the other, and two functions say one once', async () => {
  const world = await open();
  await world.rotate();
  const looks = {
    rotate: reportOf(await world.rotate({ dryRun: true, probe: true }), readRotation),
    reap: reportOf(await world.reap({ dryRun: true }), readPlanReport),
    enforce: reportOf(await world.enforce({ dryRun: true }), readPlanReport),
  };
  const finding = (message: string, kind = 'ReplicaFailed') => ({
    ...{ kind, message, secret: TELEGRAF },
  });
  const saying = <Report extends { readonly plan: object }>(
    report: Report | Error,
    ...findings: readonly object[]
  ) => {
    if (report instanceof Error) throw report;
    return { ...report, plan: { ...report.plan, findings } };
  };
  const current = 'nobody knows whose string AWSCURRENT has';
  const previous = 'nobody knows whose string AWSPREVIOUS has';
  const file = { policy: parsePolicy(world.policy) };
  const problemsWith = (rotate: readonly object[], reap: readonly object[]) =>
    of(
      statusOf(
        file,
        {
          ...looks,
          rotate: saying(looks.rotate, ...rotate),
          reap: saying(looks.reap, ...reap),
        } as typeof looks,
        [],
        world.clock.now(),
      ),
      'telegraf',
    )?.problems;
  expect(
    problemsWith(
      [finding('failed in eu-west-2'), finding('failed in us-east-1')],
      [finding('a replica failed')],
    ),
  ).toEqual(['failed in eu-west-2', 'failed in us-east-1']);
  expect(
    problemsWith(
      [finding('AWSCURRENT has a string that is no token of ours', 'UnknownVersion')],
      [finding(current, 'UnknownVersion'), finding(previous, 'UnknownVersion')],
    ),
  ).toEqual([current, previous]);
});

test('a secret that is not listed yet, and whose string is accepted, does not only have no token', async () => {
  const world = await open();
  await world.rotate();
  world.aws.listLagMs = 5 * MINUTE;
  const { text, code } = await look(world);
  expect(rowOf(text)).toMatch(
    /^telegraf \| missing \| accepted .* has no token .*the cluster accepts the string in the secret of that name all the same: it was not listed as ours/,
  );
  expect(code).toBe(6);
});

test.each([
  [
    {},
    'has no owner; to take it over: keyturn takeover telegraf --confirm, or aws secretsmanager tag-resource',
  ],
  [{ 'keyturn:owner': 'staging' }, 'belongs to the deployment "staging"'],
])(
  'of a secret that is not ours, it says that, and claims neither that it has no token nor that it gets one: %j',
  async (tags, said) => {
    const world = await open();
    await world.people.createSecret(TELEGRAF, 'theirs', tags);
    const { text, code } = await look(world);
    const row = rowOf(text);
    expect(row).toContain(said);
    expect(row).not.toMatch(/has no token| now | not listed as ours/);
    expect(code).toBe(6);
  },
);
