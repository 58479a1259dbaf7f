import { expect, it } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const iso = (at: number) => new Date(at).toISOString();

async function openRotated() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(30 * DAY);
  await world.rotate();
  await world.wait(15 * MINUTE);
  await world.rotate();
  return world;
}

it('says what the two systems still know of a time, of one entry or of all, and changes nothing', async () => {
  const world = await openRotated();
  const since = iso(world.clock.now() - DAY);
  const holders = world.holders(TELEGRAF);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.people.deleteToken(holders.AWSPREVIOUS ?? '');
  const before = [world.cluster.snapshot(), world.aws.snapshot().secrets];
  const ask = { dryRun: true, history: { since } };
  const { result } = await world.rotate({ ...ask, tokens: ['telegraf'] });
  const { tokens, secrets, unseen } = result.history;
  expect(unseen).toEqual([]);
  expect(tokens).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        tokenId: holders.AWSPREVIOUS,
        secret: TELEGRAF,
        revokedAt: iso(world.clock.now()).replace(/\.\d+/, ''),
        marks: expect.objectContaining({ superseded: expect.any(String) }),
      }),
      expect.objectContaining({ tokenId: holders.AWSCURRENT, secret: TELEGRAF }),
    ]),
  );
  expect(tokens).toHaveLength(2);
  expect(secrets).toEqual([
    {
      secret: TELEGRAF,
      token: 'telegraf',
      // The first version is older.
      versions: [
        {
          version: `keyturn-${holders.AWSCURRENT}`,
          createdAt: expect.any(String),
          labels: ['AWSPREVIOUS'],
          tokenId: holders.AWSCURRENT,
          putBy: 'keyturn',
        },
        {
          version: world.labels(TELEGRAF).AWSCURRENT,
          createdAt: expect.any(String),
          labels: ['AWSCURRENT'],
          putBy: 'others',
        },
      ],
    },
  ]);
  expect((await world.rotate(ask)).result.history.secrets).toHaveLength(2);
  const [cluster, kept] = [world.cluster.snapshot(), world.aws.snapshot().secrets];
  expect([cluster.tokens, Object.keys(kept)]).toEqual([
    before[0]?.tokens,
    Object.keys(before[1] ?? {}),
  ]);
});

it('says of versions that others put what they are, however old they are, while they have a label', async () => {
  const world = await openRotated();
  const { AWSPREVIOUS: pasted = '' } = world.holders(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS ?? '');
  const string = world.value(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS ?? '');
  await world.people.saveValue(TELEGRAF, string);
  await world.rotate();
  const { AWSCURRENT } = world.labels(TELEGRAF);
  await world.wait(DAY);
  const ask = { dryRun: true, history: { since: iso(world.clock.now()) }, tokens: ['telegraf'] };
  const [{ versions }] = (await world.rotate(ask)).result.history.secrets;
  expect(versions).toMatchObject([
    { version: AWSCURRENT, labels: ['AWSCURRENT'], putBy: 'others', tokenId: pasted },
  ]);
});

it('is told of Secrets Manager’s own rotation, of a hold, and of its end', async () => {
  const world = await openRotated();
  const since = iso(world.clock.now());
  await world.rotateSecret(TELEGRAF);
  const said = { token: 'telegraf', reason: 'leaked', by: 'ada@laptop' };
  await world.revoke({ ...said, way: 'delete' });
  const ask = { dryRun: true, history: { since }, tokens: ['telegraf'] };
  const { secrets, tokens } = (await world.rotate(ask)).result.history;
  const [held] = secrets;
  expect(tokens).toHaveLength(3);
  expect(tokens.map((each: { endedByOrder?: true }) => each.endedByOrder)).toEqual(
    tokens.map(() => true),
  );
  expect(held.hold).toEqual({
    hold: 'deleted',
    at: expect.any(String),
    by: 'ada@laptop',
    reason: 'leaked',
  });
  expect(held.versions.map(({ putBy }: { putBy: string }) => putBy)).toEqual(['rotation']);
  await world.revoke({ ...said, way: 'lift' });
  const [lifted] = (await world.rotate(ask)).result.history.secrets;
  expect([lifted.hold, lifted.liftedAt]).toEqual([undefined, expect.any(String)]);
});

it('tells of what AWSCURRENT has, also if its token ended before that time', async () => {
  const ask = (at: number) => ({ dryRun: true, history: { since: iso(at) }, tokens: ['telegraf'] });
  const gone = await openWorldForTest(policyWith({ telegraf: writer }), {
    manners: { hidesRevoked: true },
  });
  await gone.rotate();
  const { AWSCURRENT: tokenId = '' } = gone.holders(TELEGRAF);
  await gone.wait(DAY);
  await gone.people.deleteToken(tokenId);
  await gone.wait(DAY);
  const { history } = (await gone.rotate(ask(gone.clock.now() - MINUTE))).result;
  expect(history.tokens).toEqual([]);
  expect(history.secrets[0].versions).toMatchObject([
    { labels: expect.arrayContaining(['AWSCURRENT']), tokenId },
  ]);

  const listed = await openWorldForTest(policyWith({ telegraf: writer }));
  await listed.rotate();
  const { AWSCURRENT: current = '' } = listed.holders(TELEGRAF);
  await listed.wait(DAY);
  await listed.people.deleteToken(current);
  await listed.wait(DAY);
  const told = (await listed.rotate(ask(listed.clock.now() - MINUTE))).result.history;
  expect(told.tokens).toMatchObject([{ tokenId: current, revokedAt: expect.any(String) }]);
  expect(told.secrets[0].versions).toEqual([]);

  const expired = await openRotated();
  const { AWSCURRENT: last } = expired.holders(TELEGRAF);
  await expired.wait(300 * DAY);
  const { tokens } = (await expired.rotate(ask(expired.clock.now() - MINUTE))).result.history;
  expect(tokens).toContainEqual(
    expect.objectContaining({ tokenId: last, expiresAt: expect.any(String) }),
  );
});

it('names a secret whose versions may not be listed, and tells of the others', async () => {
  const world = await openRotated();
  world.intercept((call, effect) =>
    Promise.resolve(
      call.operation === 'ListSecretVersionIds' && call.subject === TELEGRAF
        ? { status: 400, body: '{"__type":"AccessDeniedException","Message":"no"}' }
        : effect(),
    ),
  );
  const since = iso(world.clock.now() - DAY);
  const { history } = (await world.rotate({ dryRun: true, history: { since } })).result;
  expect(history.unseen).toEqual([{ secret: TELEGRAF, why: expect.stringContaining('no') }]);
  const versions = history.secrets.map((each: { secret: string; versions: object[] }) => [
    each.secret,
    each.versions.length,
  ]);
  expect(Object.fromEntries(versions)).toEqual({ [TELEGRAF]: 0, 'keyturn/prod/grafana': 1 });
});

it('believes no listing that no job would believe: what a cut one lacks is not gone', async () => {
  const world = await openRotated();
  const ask = { dryRun: true, history: { since: iso(world.clock.now() - DAY) } };
  world.cluster.manners = { longestListing: 1 };
  const { error } = await world.rotate(ask);
  expect(error?.errorMessage).toMatch(/the listing is incomplete$/);
});

it('knows a token that lost its marker as one that lives, and of which secret another one is', async () => {
  const world = await openRotated();
  const ask = { dryRun: true, history: { since: iso(world.clock.now() - DAY) } };
  const { AWSPREVIOUS: lost = '' } = world.holders(TELEGRAF);
  const listed = world.cluster.snapshot().tokens.find(({ id }) => id === lost);
  const description = listed?.description.replace(/home=\w+/, 'home=deadbeef') ?? '';
  await world.people.changeToken(lost, { description });
  const inAnother = (await world.rotate(ask)).result.history;
  expect(inAnother.others).toEqual([]);
  expect(
    inAnother.tokens.filter(({ home }: { home?: string }) => home !== undefined),
  ).toMatchObject([{ tokenId: lost, secret: TELEGRAF, home: 'deadbeef' }]);

  await world.people.changeToken(lost, { description: 'mine now' });
  const { others, tokens } = (await world.rotate(ask)).result.history;
  expect(others).toEqual([lost]);
  expect(tokens.map(({ tokenId }: { tokenId: string }) => tokenId)).not.toContain(lost);
});

it.each([
  { history: { since: '2026-01-01T00:00:00Z' } },
  { history: { since: '2026-01-01T00:00:00Z' }, dryRun: true, probe: true },
  { history: { since: '2026-01-01T00:00:00Z' }, dryRun: true, force: true, tokens: ['telegraf'] },
  { history: { since: 'yesterday' }, dryRun: true },
])('refuses beside it what would be an order, or another question: %j', async (event) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const { error } = await world.rotate(event);
  expect(error?.errorMessage).toMatch(/history/);
  expect(world.tokens()).toEqual([]);
});
