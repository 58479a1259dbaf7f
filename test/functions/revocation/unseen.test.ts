import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { denied } from '../../world/faults.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { adopt, answer, GRAFANA, issuedForEachTest, reportOf } from './issued.ts';

/** An order that never claims what it did not see, and reaches what it can. */
const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };
const everything = { all: true, confirm: '127.0.0.1', reason: 'laptop stolen' };
const force = { tokens: ['telegraf'], force: true };
const currentId = (secret = TELEGRAF) => world.holders(secret).AWSCURRENT ?? '';
const working = (secret?: string) =>
  world.tokens(secret).filter(({ permissions }) => permissions.length > 0);

const noSecrets = answer(['ListSecrets'], { status: 200, body: '{"SecretList": []}' });
const nothingThere: Interceptor = (call, effect) =>
  call.operation === 'DescribeSecret'
    ? Promise.resolve({
        status: 400,
        body: '{"__type": "ResourceNotFoundException", "Message": "no such secret"}',
      })
    : noSecrets(call, effect);
const awsIsDown: Interceptor = (call, effect) =>
  call.server === 'secrets-manager' && call.operation !== 'GetSecretValue'
    ? Promise.resolve({ status: 500, body: '{"__type": "InternalServiceError"}' })
    : passThrough(call, effect);

test.each([
  [
    { database: 'metrisc' },
    'no token of this deployment can use a database metrisc; did you mean "metrics"?',
  ],
  [
    { token: 'telgraf' },
    'neither the policy nor Secrets Manager has a token telgraf; did you mean "telegraf"?',
  ],
  [
    { secret: 'keyturn/prod/telegraph' },
    'has no secret keyturn/prod/telegraph; did you mean "keyturn/prod/telegraf"?',
  ],
  [{ tokenId: '00000000-0000-4000-8000-000000000000' }, 'the cluster shows no token 00000000'],
])('an order that selects nothing is an error: %j', async (selector, message) => {
  for (const way of ['replace', 'freeze', 'delete', 'unfreeze', 'lift', 'restore']) {
    const { error } = await world.revoke({ ...selector, way, reason: 'leaked' });
    expect(error?.errorMessage).toContain(message);
  }
});

test('a misspelt database is an error also where another order has ended something', async () => {
  const way = 'freeze';
  const { error: first } = await world.revoke({ token: 'telegraf', way, reason: 'drill' });
  expect(first).toBeUndefined();
  const { error } = await world.revoke({ database: 'metrisc', way, reason: 'leaked' });
  expect(error?.errorMessage).toContain('no token of this deployment can use a database metrisc');
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'drill' });
});

test('where AWS shows nothing of the owner, an order for everything stops and asks for the account', async () => {
  world.intercept(nothingThere);
  const { error } = await world.revoke({ ...everything, way: 'freeze' });
  expect(error?.errorMessage).toContain('2 tokens of it: is this the wrong account or Region?');
  expect(working()).toHaveLength(2);
  const { result: told } = await world.revoke({
    ...everything,
    way: 'freeze',
    withoutSecrets: true,
  });
  world.intercept();
  expect(told).toMatchObject({ done: true, confirmed: false });
  expect(working()).toEqual([]);
});

test.each([{ token: 'telegraf' }, { secret: TELEGRAF }, { database: 'metrics' }])(
  'no order says that there is no token while one lives whose secret AWS does not show: %j',
  async (selector) => {
    world.intercept(nothingThere);
    const { error } = await world.revoke({ ...selector, way: 'delete', reason: 'leaked' });
    world.intercept();
    expect(error?.errorMessage).toContain('Secrets Manager shows no secret of the owner prod');
    expect(error?.errorMessage).toContain(currentId());
    expect(error?.errorMessage).toContain('is this the wrong account or Region?');
    expect(working()).toHaveLength(2);
  },
);

test('a leaked string is not deleted without a successor because its secret is not visible', async () => {
  world.intercept(nothingThere);
  const { error } = await world.revoke({ tokenId: currentId(), reason: 'leaked' });
  world.intercept();
  expect(error?.errorMessage).toContain(
    `belongs to ${TELEGRAF}, which Secrets Manager does not show`,
  );
  expect(working(TELEGRAF)).toHaveLength(1);
});

test('everything means the tokens of a secret too that was deleted for good', async () => {
  const string = world.string(GRAFANA);
  await world.people.deleteSecret(GRAFANA, 'for good');
  const replaced = await world.revoke(everything);
  expect(replaced.result).toMatchObject({ done: true, confirmed: false });
  expect(replaced.result?.unconfirmed).toEqual([
    expect.stringContaining(`its secret ${GRAFANA} is not visible here`),
  ]);
  expect(world.accepts(string, 'read', 'logs')).toBe(true);
  await world.revoke({ ...everything, way: 'freeze' });
  await world.wait(MINUTE);
  expect(world.accepts(string, 'read', 'logs')).toBe(false);
});

test.each(['freeze', 'delete', 'replace'])(
  '%s completes a listing that lacks the current token',
  async (way) => {
    const string = world.string(TELEGRAF);
    world.cluster.manners = { longestListing: 0 };
    const report = reportOf(await world.revoke({ ...order, way }));
    world.cluster.manners = {};
    expect(report.tokens).toContainEqual(
      expect.objectContaining({ result: way === 'freeze' ? 'frozen' : 'deleted' }),
    );
    await world.wait(5 * MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each(['freeze', 'delete'])(
  '%s finds the token that a rotation has just promoted in a listing that is out of date',
  async (way) => {
    await world.rotate(force);
    const string = world.string(TELEGRAF);
    world.cluster.manners = { lagMs: HOUR };
    await world.revoke({ ...order, way });
    world.cluster.manners = {};
    await world.wait(5 * MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each(['replace', 'delete', 'freeze'])(
  '%s ends a token under AWSPREVIOUS whose marker a person edited',
  async (way) => {
    const [old, string] = [currentId(), world.string(TELEGRAF)];
    await world.rotate(force);
    await world.people.changeToken(old, { description: 'telegraf [keyturn:1 owner=prod]' });
    const noUndo = way === 'freeze' ? { noUndo: true } : {};
    await world.revoke({ ...order, way, ...noUndo });
    await world.wait(5 * MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

test('an unknown string under a label that still works is not confirmed', async () => {
  const byHand = await world.people.mint({
    description: 'by hand',
    permissions: [{ action: 'write', resource: 'metrics' }],
  });
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, byHand.accessToken);
  const { result } = await world.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed).toEqual([
    expect.stringMatching(
      /nobody knows whose string version \S+ \(AWSCURRENT\) has, and the cluster accepts it/,
    ),
  ]);
});

test('an unknown string that every router refuses, beside one that works, is no doubt', async () => {
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const { result } = await world.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: true });
});

test('a roll back to a quarantined token gives nothing back after a freeze', async () => {
  const version = world.labels(TELEGRAF).AWSCURRENT;
  const string = world.string(TELEGRAF);
  await world.rotate(force);
  for (let step = 0; step < 3; step += 1) {
    await world.wait(25 * HOUR);
    await world.reap();
  }
  await world.revoke({ ...order, way: 'freeze' });
  await world.people.makeCurrent(TELEGRAF, version);
  await world.rotate();
  await world.rotate(force);
  await world.wait(5 * MINUTE);
  expect(world.accepts(string)).toBe(false);
  expect(working(TELEGRAF)).toEqual([]);
});

test.each(['freeze', 'delete'])(
  'what was ordered to %s stays dead though a tool strips the tag of the hold',
  async (way) => {
    const string = world.string(TELEGRAF);
    await world.revoke({ ...order, way });
    await world.people.untag(TELEGRAF, ['keyturn:hold']);
    for (let day = 0; day < 3; day += 1) {
      await world.rotate();
      await world.rotate(force);
      await world.reap();
      await world.wait(DAY);
    }
    expect(world.accepts(string)).toBe(false);
    expect(working(TELEGRAF)).toEqual([]);
    const undo = way === 'freeze' ? 'unfreeze' : 'lift';
    const { result } = await world.revoke({ ...order, way: undo });
    expect(result).toMatchObject({ done: true });
    await world.rotate();
    await world.wait(MINUTE);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each([
  ['a page of a proxy', { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ['the JSON of a proxy', { status: 403, body: '{"message": "blocked"}' }],
])('%s is no proof of death', async (_what, reply) => {
  const string = world.string(TELEGRAF);
  world.intercept((call, effect) =>
    call.server === 'data-plane' && call.caller !== undefined
      ? Promise.resolve(reply)
      : passThrough(call, effect),
  );
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  world.intercept();
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.tokens[0]).not.toHaveProperty('deadAfterSeconds');
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
});

test('unfreeze gives back too what somebody took from the current token without a trace', async () => {
  const string = world.string(TELEGRAF);
  await world.people.changeToken(currentId(), { permissions: [] });
  const { result } = await world.revoke({ ...order, way: 'unfreeze' });
  expect(result).toMatchObject({ confirmed: true, tokens: [{ result: 'given-back' }] });
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(true);
});

test.each(['freeze', 'delete'])(
  '%s by id goes ahead with AWS unreachable, and says what it could not look at',
  async (way) => {
    const [tokenId, string] = [currentId(), world.string(TELEGRAF)];
    world.intercept(awsIsDown);
    const { result } = await world.revoke({ tokenId, way, reason: 'leaked' });
    world.intercept();
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed.join()).toContain('Secrets Manager could not be asked');
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

test('an order that AWS stops says so, and what can be ordered without it', async () => {
  world.intercept(awsIsDown);
  const stopped = await world.revoke({ ...order, way: 'freeze' });
  const undoing = await world.revoke({ ...order, way: 'unfreeze' });
  world.intercept();
  expect(stopped.error?.errorMessage).toMatch(
    /^Secrets Manager could not be asked \(.*\); nothing was done; one token can be ended all the same/,
  );
  expect(undoing.error?.errorMessage).toMatch(/; nothing was done$/);
  expect(working()).toHaveLength(2);
});

test('undoing a token that works gives nothing back, and publishes nothing', async () => {
  const [tokenId, published] = [currentId(), world.events().length];
  const { result } = await world.revoke({ tokenId, way: 'restore', reason: 'false alarm' });
  expect(result).toMatchObject({ confirmed: true, tokens: [{ tokenId, result: 'left' }] });
  expect(world.events()).toHaveLength(published);
});

test('unfreezing a quarantined token by its id says that it is quarantined', async () => {
  const tokenId = currentId();
  await world.rotate(force);
  for (let step = 0; step < 2; step += 1) {
    await world.wait(25 * HOUR);
    await world.reap();
  }
  const { result } = await world.revoke({ tokenId, way: 'unfreeze', reason: 'false alarm' });
  expect(result?.tokens).toMatchObject([
    { result: 'left', unconfirmed: 'it is quarantined; restore it' },
  ]);
});

test('unfreezing what was quarantined before it was frozen gives nothing back, and says so', async () => {
  const [tokenId, string] = [currentId(), world.string(TELEGRAF)];
  await world.rotate(force);
  for (let step = 0; step < 2; step += 1) {
    await world.wait(25 * HOUR);
    await world.reap();
  }
  await world.revoke({ tokenId, way: 'freeze', reason: 'leaked' });
  const order = { tokenId, way: 'unfreeze', reason: 'false alarm' };
  const { result: shown } = await world.revoke({ ...order, dryRun: true });
  expect(shown?.plan.warnings).toContain(
    `${tokenId} is quarantined: it gets no permissions back until you restore it`,
  );
  const { result } = await world.revoke(order);
  const unconfirmed = 'it is quarantined; restore it';
  expect(result).toMatchObject({ confirmed: false, tokens: [{ result: 'left', unconfirmed }] });
  expect((await world.revoke({ ...order, way: 'restore' })).result).toMatchObject({
    confirmed: true,
  });
  expect(world.accepts(string)).toBe(true);
});

test('an order that replaces an unknown string takes its version for no token', async () => {
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ done: true, confirmed: true });
  const ids = world.cluster.state.tokens.map(({ id }) => id);
  for (const { tokenId } of result?.tokens ?? []) expect(ids).toContain(tokenId);
});

test('an order tells the same failure once', async () => {
  world.intercept((call, effect) =>
    call.server === 'data-plane'
      ? Promise.resolve({ status: 503, body: '' })
      : passThrough(call, effect),
  );
  const { error } = await world.revoke(order);
  world.intercept();
  const lines = error?.errorMessage.split('\n') ?? [];
  // To people in the error, and once in the report, which its last line is.
  for (const told of [lines.slice(0, -1).join(), lines.at(-1)]) {
    expect(told?.match(/was not accepted in time/g)).toHaveLength(1);
  }
});

test('of a secret that is scheduled for deletion, and whose tokens are gone, nobody says that they work', async () => {
  await world.people.deleteSecret(TELEGRAF);
  for (const { id } of world.tokens(TELEGRAF)) await world.people.deleteToken(id);
  const { error } = await world.revoke(order);
  expect(error?.errorMessage).toContain('and none of its tokens is listed any more; restore it');
  expect(error?.errorMessage).not.toContain('still work');
});

test('a secret that is scheduled for deletion is not replaced, mints nothing, and says what ends its tokens', async () => {
  await world.people.deleteSecret(TELEGRAF);
  const tokens = world.tokens();
  for (let time = 0; time < 2; time += 1) {
    const { error } = await world.revoke(order);
    expect(error?.errorMessage).toContain(
      'is scheduled for deletion, so no successor can be stored',
    );
    expect(world.tokens()).toEqual(tokens);
  }
  const string = world.string(TELEGRAF);
  const { result } = await world.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed).toEqual([expect.stringContaining('restoring it undoes this order')]);
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
});

test('says in the dry run already what it will refuse', async () => {
  const { id } = await world.people.mint({ description: 'by hand', permissions: [] });
  const { result } = await world.revoke({ tokenId: id, way: 'freeze', dryRun: true });
  expect(result?.plan.refusal).toContain('is not ours');
});

test('a hold that somebody else set is named before it is taken away', async () => {
  await world.people.tag(TELEGRAF, { 'keyturn:hold': 'do not touch - bob' });
  const { result } = await world.revoke({ ...order, way: 'unfreeze', dryRun: true });
  expect(result?.plan.warnings).toEqual([
    `${TELEGRAF} is on hold (frozen); its tag was written by hand: do not touch - bob; the order takes this hold away`,
  ]);
});

test.each(['freeze', 'delete', 'replace'])(
  '%s is not confirmed where the listing is known to be cut, because it may lack tokens without a label',
  async (way) => {
    const string = world.string(TELEGRAF);
    for (let time = 0; time < 2; time += 1) {
      await world.rotate(force);
      await world.wait(HOUR);
    }
    world.cluster.manners = { longestListing: 0 };
    const { result } = await world.revoke({ ...order, way });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed).toEqual([expect.stringContaining('the listing of tokens is cut')]);
    const fingerprint = createHash('sha256').update('apiv1_nobody').digest('hex').slice(0, 16);
    const { error } = await world.revoke({ fingerprint, way, reason: 'leaked' });
    expect(error?.errorMessage).not.toContain('every live token');
    expect(error?.errorMessage).toContain('the listing is cut');
    world.cluster.manners = {};
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each([{ token: 'telegraf' }, { secret: TELEGRAF }, { database: 'metrics' }])(
  'an order by %j means the token too whose secret was deleted for good and made again',
  async (selector) => {
    const [old, string] = [currentId(), world.string(TELEGRAF)];
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.rotate();
    const { result } = await world.revoke({ ...selector, reason: 'leaked' });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed).toEqual([
      expect.stringMatching(`${old} has our owner and works; its secret is another`),
    ]);
    expect(world.accepts(string)).toBe(true);
    await world.revoke({ ...selector, way: 'freeze', reason: 'leaked' });
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each([
  ['nothing', { permissions: [] }],
  ['nothing any more', { expiresAt: '2026-03-02T12:30:00Z' }],
])('a token of such a secret that can do %s keeps no order open', async (_what, more) => {
  const { id } = await world.people.mint({
    description: `[keyturn:1 owner=prod secret=${TELEGRAF} home=00000000]`,
    permissions: [{ action: 'write', resource: 'telemetry' }],
    ...more,
  });
  await world.wait(HOUR);
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ done: true, confirmed: true, unconfirmed: [] });
  expect(world.tokens().map((each) => each.id)).toContain(id);
});

test.each([
  ['freeze', order],
  ['delete', order],
  ['delete', everything],
])(
  'to %s the token of a secret that was deleted for good says that no hold keeps rotate from making another one: %j',
  async (way, selected) => {
    const string = world.string(TELEGRAF);
    await world.people.deleteSecret(TELEGRAF, 'for good');
    const { result: shown } = await world.revoke({ ...selected, way, dryRun: true });
    const { result } = await world.revoke({ ...selected, way });
    const said = expect.stringMatching(
      `${TELEGRAF} is not visible here, so no hold could be set: while the policy has the entry telegraf, the next run of rotate makes`,
    );
    expect(shown?.plan.warnings).toContainEqual(said);
    expect(result?.unconfirmed).toContainEqual(said);
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(false);
    await world.rotate();
    await world.wait(MINUTE);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each(['freeze', 'delete'])(
  'to %s one token goes ahead in the Region of a replica, and says what has to be done in the primary one',
  async (way) => {
    const [tokenId, string] = [currentId(), world.string(TELEGRAF)];
    const labels = world.labels(TELEGRAF);
    world.intercept((call, effect) => {
      const reply = effect();
      if (!['DescribeSecret', 'ListSecrets'].includes(call.operation))
        return Promise.resolve(reply);
      const body = JSON.parse(reply.body);
      for (const each of body.SecretList ?? [body]) {
        if (each.Name === TELEGRAF) each.PrimaryRegion = 'us-east-1';
      }
      return Promise.resolve({ ...reply, body: JSON.stringify(body) });
    });
    const whole = await world.revoke({ ...order, way });
    expect(JSON.stringify(whole)).toContain('or end one token here, by its id or its string');
    expect(working(TELEGRAF)).toHaveLength(1);
    const { result } = await world.revoke({ tokenId, way, reason: 'leaked' });
    world.intercept();
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens[0]).toHaveProperty('deadAfterSeconds');
    expect(result?.unconfirmed).toEqual([
      expect.stringMatching(`${TELEGRAF} is a replica: no hold was set, .* give this order there`),
    ]);
    expect(world.accepts(string)).toBe(false);
    expect([world.labels(TELEGRAF), world.hold(TELEGRAF)]).toEqual([labels, undefined]);
  },
);

/** A deployment whose policy has one entry more, with a secret that is not tagged as ours yet. */
async function withLegacy() {
  await world.people.createSecret('legacy/db', '{"password": "CHANGE_ME"}');
  const { id } = await world.people.mint({
    description: '[keyturn:1 owner=prod secret=legacy/db home=00000000]',
    permissions: [{ action: 'write', resource: 'metrics' }],
  });
  const permissions = { write: ['metrics'] };
  const legacy = { permissions, secret: 'legacy/db', adopt: { tokenId: id, key: 'password' } };
  const policy = world.policy as { readonly tokens: object };
  const deployed = world.deploy({ ...policy, tokens: { ...policy.tokens, legacy } });
  await world.wait(HOUR);
  return { id, deployed };
}

test.each(['freeze', 'delete', 'replace'])(
  'a secret that may not be described stops no order to %s but those that mean it',
  async (way) => {
    const { id, deployed } = await withLegacy();
    const strings = [world.string(TELEGRAF), world.string(GRAFANA)];
    const unseen = expect.stringMatching('^legacy/db could not be looked at .*DescribeSecret');
    world.intercept(denied('legacy/db'));
    for (const selector of [{ token: 'legacy' }, { secret: 'legacy/db' }]) {
      const { error } = await deployed.revoke({ ...selector, way, reason: 'leaked' });
      expect(error?.errorMessage).toMatch(
        /^legacy\/db could not be looked at .*; nothing was done/,
      );
    }
    const { result: one } = await deployed.revoke({ ...order, way });
    const { result: all } = await deployed.revoke({ ...everything, way });
    world.intercept();
    expect(one).toMatchObject({ done: true, confirmed: true });
    expect(one?.plan.warnings).toContainEqual(unseen);
    expect(all).toMatchObject({ done: true, confirmed: false });
    expect(all?.unconfirmed).toContainEqual(unseen);
    await world.wait(MINUTE);
    expect(strings.map((each) => world.accepts(each, 'read', 'metrics'))).toEqual([false, false]);
    expect(strings.map((each) => world.accepts(each, 'write', 'metrics'))).toEqual([false, false]);
    // Its successor would be stored in a secret that nobody sees.
    const left = working().filter((each) => each.id === id);
    expect(left).toHaveLength(way === 'replace' ? 1 : 0);
  },
);

const TAKE_OVER = `${TELEGRAF} has no owner; to take it over: keyturn takeover telegraf --confirm, or aws secretsmanager tag-resource --secret-id ${TELEGRAF} --tags Key=keyturn:owner,Value=prod`;

test.each([{ token: 'telegraf' }, { secret: TELEGRAF }])(
  'a secret that lost the tag of its owner is not called one of another account: %j',
  async (selector) => {
    await world.people.untag(TELEGRAF, ['keyturn:owner']);
    const [string, before] = [world.string(TELEGRAF), world.tokens()];
    for (const way of ['replace', 'unfreeze']) {
      const { error } = await world.revoke({ ...selector, way, reason: 'leaked' });
      expect(error?.errorMessage).toContain(TAKE_OVER);
      expect(error?.errorMessage).not.toContain('wrong account');
    }
    expect(world.tokens()).toEqual(before);
    for (const minutes of [0, 16]) {
      await world.wait(minutes * MINUTE);
      const { result } = await world.revoke({ ...selector, way: 'delete', reason: 'leaked' });
      expect(result).toMatchObject({ done: true, confirmed: false });
      expect(result?.unconfirmed).toEqual(
        expect.arrayContaining([
          TAKE_OVER,
          `no hold could be set on ${TELEGRAF}: give this order again when it has our tag`,
        ]),
      );
      expect(JSON.stringify(result)).not.toContain('makes the secret again');
      expect(world.accepts(string)).toBe(false);
    }
    // What the answer says is what helps: no run of rotate makes a token that works before.
    await world.wait(2 * HOUR);
    await world.rotate();
    expect(working(TELEGRAF)).toEqual([]);
    await world.people.tag(TELEGRAF, { 'keyturn:owner': 'prod' });
    await world.rotate();
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each(['freeze', 'delete'])(
  'one token of a secret that lost its tag ends by its id all the same: %s',
  async (way) => {
    await world.people.untag(TELEGRAF, ['keyturn:owner']);
    const string = world.string(TELEGRAF);
    const { result } = await world.revoke({ tokenId: currentId(), way, reason: 'leaked' });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed).toContain(TAKE_OVER);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each(['unfreeze', 'lift', 'restore'])(
  'who wants to %s what a secret without its tag had is not told to end a token',
  async (way) => {
    await world.people.untag(TELEGRAF, ['keyturn:owner']);
    const selectors = [{ token: 'telegraf' }, { secret: TELEGRAF }, { tokenId: currentId() }];
    for (const selector of selectors) {
      const { error } = await world.revoke({ ...selector, way, reason: 'false alarm' });
      expect(error?.errorMessage).toContain(TAKE_OVER);
      expect(error?.errorMessage).not.toMatch(/--freeze|--delete/);
    }
  },
);

test.each(['delete', 'replace'])(
  'another account that has a secret of the same name is not taken for the right one by an order to %s everything',
  async (way) => {
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.people.deleteSecret(GRAFANA, 'for good');
    await world.people.createSecret(TELEGRAF, '{"token": "of dev"}');
    const before = world.tokens();
    const { error } = await world.revoke({ ...everything, way });
    expect(error?.errorMessage).toContain('is this the wrong account or Region?');
    expect(error?.errorMessage).not.toContain('tag-resource');
    expect(world.tokens()).toEqual(before);
  },
);

test('that a secret which is to be adopted has no tag yet is no news', async () => {
  await world.people.createSecret('legacy/db', '{"password": "CHANGE_ME"}');
  const { id, accessToken } = await world.people.mint({
    description: 'legacy',
    permissions: [{ action: 'write', resource: 'metrics' }],
  });
  const adopt = { tokenId: id, key: 'password' };
  const legacy = { permissions: { write: ['metrics'] }, secret: 'legacy/db', adopt };
  const policy = world.policy as { readonly tokens: object };
  const deployed = world.deploy({ ...policy, tokens: { ...policy.tokens, legacy } });
  const { result } = await deployed.revoke({ ...order, dryRun: true });
  expect(result?.plan.warnings).toEqual([]);
  for (const selector of [{ token: 'legacy' }, { secret: 'legacy/db' }]) {
    const { error } = await deployed.revoke({ ...selector, reason: 'leaked' });
    expect(error?.errorMessage).toContain('legacy was not adopted yet');
    expect(error?.errorMessage).toContain(`by its id: ${id} (--token-id)`);
  }
  // Whoever does what it says ends it.
  await deployed.revoke({ tokenId: id, way: 'delete', reason: 'leaked' });
  await world.wait(300_000);
  expect(world.accepts(accessToken)).toBe(false);
});

test.each([{ token: 'legacy' }, { secret: 'legacy/db' }])(
  'a secret that was adopted once, and deleted with its token, is not said to wait for its adoption: %j',
  async (selector) => {
    const { deployed, secret } = await adopt(world);
    await world.people.deleteSecret(secret, 'for good');
    for (const { id } of world.tokens(secret)) await world.people.deleteToken(id);
    await world.wait(MINUTE);
    const { error } = await deployed.revoke({ ...selector, way: 'freeze', reason: 'leaked' });
    expect(error?.errorMessage).not.toContain('not adopted yet');
    expect(error?.errorMessage).toMatch(/has no secret/);
  },
);

/** Telegraf's consumers read another secret, which its entry is to adopt with a token made by hand. */
async function openUnadopted() {
  const byHand = {
    description: 'legacy',
    permissions: [{ action: 'write', resource: 'metrics' }],
  };
  const { id, accessToken } = await world.people.mint(byHand);
  await world.people.createSecret('legacy/db', accessToken);
  await world.wait(MINUTE);
  const policy = world.policy as { readonly tokens: object };
  const adopting = (tokenId: string) => {
    const legacy = { permissions: { write: ['metrics'] }, secret: 'legacy/db', adopt: { tokenId } };
    return world.deploy({ ...policy, tokens: { ...policy.tokens, legacy } });
  };
  return { id, accessToken, byHand, adopting };
}

test.each(['replace', 'freeze', 'delete'])(
  'to %s the token of an entry that was not adopted yet names it as left without a token, and what gives it one',
  async (way) => {
    const { id, accessToken, byHand, adopting } = await openUnadopted();
    const deployed = adopting(id);
    const about = { tokenId: id, way, noUndo: way === 'freeze', reason: 'leaked' };
    const { result: plan } = await deployed.revoke({ ...about, dryRun: true });
    expect(plan?.plan.withoutToken).toEqual([
      expect.stringContaining('by the policy (adopt), consumers of legacy have'),
    ]);
    await deployed.revoke(about);
    await world.wait(MINUTE);
    expect(world.accepts(accessToken)).toBe(false);
    // Whoever does what it says has a token again.
    const other = await world.people.mint(byHand);
    await world.people.saveValue('legacy/db', other.accessToken);
    await world.wait(MINUTE);
    await adopting(other.id).rotate();
    expect(world.accepts(world.string('legacy/db'))).toBe(true);
    expect(world.tokens('legacy/db').map((each) => each.id)).toEqual([other.id]);
  },
);

test('a token that is adopted before it is replaced gets a successor', async () => {
  const { id, accessToken, adopting } = await openUnadopted();
  const deployed = adopting(id);
  await deployed.rotate({ tokens: ['legacy'], force: true });
  const { result } = await deployed.revoke({ tokenId: id, reason: 'leaked' });
  expect(result).toMatchObject({ done: true, plan: { withoutToken: [] } });
  expect(world.accepts(accessToken)).toBe(false);
  expect(world.accepts(world.string('legacy/db'))).toBe(true);
});

test('an order for one token, and one for everything, say that a secret lost the tag of its owner', async () => {
  await world.people.untag(TELEGRAF, ['keyturn:owner']);
  const { error } = await world.revoke({ tokenId: currentId(), reason: 'leaked' });
  expect(error?.errorMessage).toMatch(`${TAKE_OVER}; nothing was done`);
  const { result } = await world.revoke({ ...everything, dryRun: true });
  expect(result?.plan.warnings).toContain(TAKE_OVER);
  await world.people.untag(GRAFANA, ['keyturn:owner']);
  const strings = [world.string(TELEGRAF), world.string(GRAFANA)];
  const database = await world.revoke({ database: 'metrics', reason: 'leaked' });
  expect(database.error?.errorMessage).toContain(TAKE_OVER);
  expect(database.error?.errorMessage).not.toContain('wrong account');
  const { result: all } = await world.revoke({ ...everything, way: 'freeze' });
  expect(all).toMatchObject({ done: true, confirmed: false });
  expect(all?.unconfirmed).toContain(TAKE_OVER);
  expect(strings.map((each) => world.accepts(each, 'read', 'logs') || world.accepts(each))).toEqual(
    [false, false],
  );
});

test('a token is not replaced, and gets nothing back, while its secret may not be described', async () => {
  const { id, deployed } = await withLegacy();
  await deployed.revoke({ tokenId: id, way: 'freeze', reason: 'leaked' });
  const before = world.tokens();
  world.intercept(denied('legacy/db'));
  for (const way of ['replace', 'unfreeze', 'restore']) {
    const { error } = await deployed.revoke({ tokenId: id, way, reason: 'ok' });
    expect(error?.errorMessage).toMatch(/^legacy\/db could not be looked at .*; nothing was done/);
  }
  const { result } = await deployed.revoke({ ...everything, way: 'unfreeze' });
  world.intercept();
  expect(result).toMatchObject({ confirmed: false });
  expect(world.tokens()).toEqual(before);
});

test('a token about which the cluster cannot be asked stops no order but those that must know it', async () => {
  const string = world.string(TELEGRAF);
  await world.people.deleteToken(currentId(GRAFANA));
  world.cluster.manners = { hidesRevoked: true };
  await world.wait(HOUR);
  world.intercept(({ operation }, effect) => {
    const reply = effect();
    const isGone = operation === 'GET /tokens/{id}' && reply.status === 404;
    return Promise.resolve(isGone ? { status: 500, body: '{"message": "broken"}' } : reply);
  });
  const { error } = await world.revoke({ token: 'grafana', reason: 'leaked' });
  const { result: one } = await world.revoke({ ...order, reason: 'leaked' });
  const { result: all } = await world.revoke({ ...everything, way: 'freeze' });
  world.intercept();
  world.cluster.manners = {};
  const unseen = new RegExp(`${GRAFANA}: it is not known whose string version .*broken`);
  expect(error?.errorMessage).toMatch(unseen);
  expect(one).toMatchObject({ done: true });
  expect(all).toMatchObject({ done: true, confirmed: false });
  expect(all?.unconfirmed).toContainEqual(expect.stringMatching(unseen));
  await world.wait(MINUTE);
  expect([world.accepts(string), working(), world.hold(GRAFANA)]).toEqual([false, [], 'frozen']);
});

test('unfreezing everything reaches what it can where one secret may not be described', async () => {
  await world.revoke({ ...everything, way: 'freeze' });
  world.intercept(denied(GRAFANA));
  const report = reportOf(await world.revoke({ ...everything, way: 'unfreeze' }));
  world.intercept();
  expect(report).toMatchObject({ done: false, confirmed: false });
  expect(report.unconfirmed).toContainEqual(expect.stringContaining(GRAFANA));
  await world.wait(MINUTE);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect([world.hold(GRAFANA), working(GRAFANA)]).toEqual(['frozen', []]);
});

test('what stays frozen because its secret lost its tag is named, and given back by the same order once that is back', async () => {
  const id = currentId();
  await world.people.untag(TELEGRAF, ['keyturn:owner']);
  await world.revoke({ ...everything, way: 'freeze' });
  const before = world.tokens(TELEGRAF);
  const { error } = await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'over' });
  // Known before anybody confirms it.
  expect(error?.errorType).toBe('SelectionError');
  expect(error?.errorMessage).toContain(TAKE_OVER);
  const { result } = await world.revoke({ ...everything, way: 'unfreeze' });
  expect(result).toMatchObject({ confirmed: false });
  expect(result?.unconfirmed).toContainEqual(
    expect.stringMatching(`^${id} is frozen, and its secret .*: it is left so; .* again when`),
  );
  expect(world.tokens(TELEGRAF)).toEqual(before);
  await world.people.tag(TELEGRAF, { 'keyturn:owner': 'prod' });
  await world.revoke({ ...everything, way: 'unfreeze' });
  await world.wait(MINUTE);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('the token of another deployment is not replaced by nothing, and whoever ends it is told whose consumers have it', async () => {
  const name = 'keyturn/staging/app';
  const staging = world.deploy({
    ...(world.policy as object),
    owner: 'staging',
    tokens: { app: { permissions: { write: ['metrics'] } } },
  });
  await staging.rotate();
  const { AWSCURRENT: tokenId = '' } = world.holders(name);
  const string = world.string(name);
  const order = { tokenId, reason: 'leaked' };
  const { error } = await world.revoke(order);
  expect(error?.errorMessage).toContain(
    `${tokenId} belongs to the deployment "staging" (${name}), and here it has no successor; nothing was done`,
  );
  expect(world.accepts(string)).toBe(true);
  // Nor if somebody wrote behind its marker, which nobody can read then.
  const { description = '' } = world.cluster.state.tokens.find(({ id }) => id === tokenId) ?? {};
  await world.people.changeToken(tokenId, { description: `${description} (do not touch)` });
  expect((await world.revoke(order)).error?.errorMessage).toContain('or one that cannot be read');
  await world.people.changeToken(tokenId, { description });
  const about = { ...order, way: 'delete' };
  const { result: plan } = await world.revoke({ ...about, dryRun: true });
  expect(plan?.plan.withoutToken).toEqual([
    expect.stringContaining(`consumers of ${name} have ${tokenId}`),
  ]);
  await world.revoke(about);
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
  await staging.rotate();
  expect(world.accepts(world.string(name))).toBe(true);
});

test.each(
  ['freeze', 'delete'].flatMap((way) => ['tokenId', 'fingerprint'].map((by) => ({ way, by }))),
)(
  'to $way the token of a secret without our tag by its $by names what else of that secret works, also when it is given again',
  async ({ way, by }) => {
    const former = currentId();
    await world.rotate(force);
    const fingerprint = createHash('sha256').update(world.string(TELEGRAF)).digest('hex');
    const named =
      by === 'tokenId' ? { tokenId: currentId() } : { fingerprint: fingerprint.slice(0, 16) };
    await world.people.untag(TELEGRAF, Object.keys(world.tags(TELEGRAF)));
    for (let given = 0; given < 2; given += 1) {
      const { result } = await world.revoke({ ...named, way, reason: 'leaked' });
      expect(result).toMatchObject({ done: true, confirmed: false });
      expect(working(TELEGRAF).map(({ id }) => id)).toEqual([former]);
      expect(result?.unconfirmed).toContainEqual(expect.stringContaining(former));
      await world.wait(MINUTE);
    }
  },
);
