import { describe, expect, it } from 'vitest';
import { operatorName } from '../../bin/keyturn/operator.ts';
import { DAY, MINUTE, TELEGRAF } from '../world/policy.ts';
import { writeTemporary } from './cli.ts';
import { openLocal } from './operator.ts';
import { denying, fired, notesOf, openRotated, type Told, tell } from './told-history.ts';

const THROTTLED = {
  status: 400,
  body: '{"__type":"ThrottlingException","Message":"Rate exceeded"}',
};

describe('history', () => {
  it('tells each thing of a life once: when, what, by whom, why, and who says so', {
    timeout: 120_000,
  }, async () => {
    const { world, run } = await openRotated();
    const [first, second] = [
      world.holders(TELEGRAF).AWSPREVIOUS,
      world.holders(TELEGRAF).AWSCURRENT,
    ];
    // Marks have whole seconds: of what is done in the same one, chance would decide which comes first.
    await world.wait(MINUTE);
    expect((await run(['rotate', 'telegraf'])).code).toBe(0);
    await world.wait(MINUTE);
    const third = world.holders(TELEGRAF).AWSCURRENT;
    const order = ['--token', 'telegraf', '--reason', 'odd writes', '--yes'];
    expect((await run(['revoke', ...order, '--freeze'])).code).toBe(0);
    expect((await run(['unfreeze', 'telegraf', '--reason', 'they were ours', '--yes'])).code).toBe(
      0,
    );
    expect((await run(['revoke', ...order])).code).toBe(0);
    const fourth = world.holders(TELEGRAF).AWSCURRENT;
    await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
    await world.rotate(fired(world));

    const { code, stderr, told } = await tell(run, 'telegraf');
    expect([code, stderr, told.complete]).toEqual([0, '', true]);
    const names = new Map(
      [first, second, third, fourth].map((id, index) => [id, `token ${index + 1}`]),
    );
    const nameOf = (id: string | undefined) => (id === undefined ? 'secret' : names.get(id));
    const steady = (text: string | undefined) =>
      text?.replaceAll(operatorName(), 'the operator').replace(/[0-9a-f]{8}/, 'token 4');
    expect(
      told.entries.map(({ what, tokenId, by, why, sources }) => [
        ...[nameOf(tokenId), what, steady(by), steady(why), sources.toSorted().join(', ')],
      ]),
    ).toMatchInlineSnapshot(`
      [
        [
          "token 1",
          "minted",
          "schedule",
          "Missing",
          "cluster, log of rotate",
        ],
        [
          "token 1",
          "stored",
          "schedule",
          "Missing",
          "Secrets Manager, log of rotate",
        ],
        [
          "token 1",
          "proven",
          "schedule",
          "Missing",
          "log of rotate",
        ],
        [
          "token 1",
          "promoted",
          "schedule",
          "Missing",
          "cluster, log of rotate",
        ],
        [
          "token 2",
          "minted",
          "schedule",
          "Due",
          "cluster, log of rotate",
        ],
        [
          "token 2",
          "stored",
          "schedule",
          "Due",
          "Secrets Manager, log of rotate",
        ],
        [
          "token 2",
          "proven",
          "schedule",
          "Due",
          "log of rotate",
        ],
        [
          "token 2",
          "promoted",
          "schedule",
          "Due",
          "cluster, log of rotate",
        ],
        [
          "token 1",
          "superseded",
          "Keyturn",
          undefined,
          "cluster",
        ],
        [
          "token 3",
          "minted",
          "by hand",
          "Forced",
          "cluster, log of rotate",
        ],
        [
          "token 3",
          "stored",
          "by hand",
          "Forced",
          "Secrets Manager, log of rotate",
        ],
        [
          "token 3",
          "proven",
          "by hand",
          "Forced",
          "log of rotate",
        ],
        [
          "token 3",
          "promoted",
          "by hand",
          "Forced",
          "cluster, log of rotate",
        ],
        [
          "token 2",
          "superseded",
          "Keyturn",
          undefined,
          "cluster",
        ],
        [
          "secret",
          "put on hold",
          "the operator",
          "freeze: odd writes",
          "log of revoke",
        ],
        [
          "token 1",
          "frozen",
          "the operator",
          "freeze: odd writes",
          "log of revoke",
        ],
        [
          "token 2",
          "frozen",
          "the operator",
          "freeze: odd writes",
          "log of revoke",
        ],
        [
          "token 3",
          "frozen",
          "the operator",
          "freeze: odd writes",
          "log of revoke",
        ],
        [
          "token 1",
          "string refused",
          "the operator",
          "every probe refused, 190 s after the order",
          "log of revoke",
        ],
        [
          "token 2",
          "string refused",
          "the operator",
          "every probe refused, 190 s after the order",
          "log of revoke",
        ],
        [
          "token 3",
          "string refused",
          "the operator",
          "every probe refused, 190 s after the order",
          "log of revoke",
        ],
        [
          "secret",
          "hold released",
          "the operator",
          "unfreeze: they were ours",
          "log of revoke",
        ],
        [
          "token 1",
          "permissions given back",
          "the operator",
          "unfreeze: they were ours",
          "log of revoke",
        ],
        [
          "token 2",
          "permissions given back",
          "the operator",
          "unfreeze: they were ours",
          "log of revoke",
        ],
        [
          "token 3",
          "permissions given back",
          "the operator",
          "unfreeze: they were ours",
          "log of revoke",
        ],
        [
          "token 4",
          "minted",
          "the operator",
          "replace: odd writes",
          "cluster, log of revoke",
        ],
        [
          "token 4",
          "stored",
          "the operator",
          "replace: odd writes",
          "Secrets Manager, log of revoke",
        ],
        [
          "token 4",
          "proven",
          "the operator",
          "replace: odd writes",
          "log of revoke",
        ],
        [
          "token 4",
          "promoted",
          "the operator",
          "replace: odd writes",
          "cluster, log of revoke",
        ],
        [
          "secret",
          "AWSPREVIOUS taken off",
          "the operator",
          "replace: odd writes",
          "log of revoke",
        ],
        [
          "token 1",
          "deleted",
          "the operator",
          "replace: odd writes",
          "cluster, log of revoke",
        ],
        [
          "token 2",
          "deleted",
          "the operator",
          "replace: odd writes",
          "cluster, log of revoke",
        ],
        [
          "token 3",
          "deleted",
          "the operator",
          "replace: odd writes",
          "cluster, log of revoke",
        ],
        [
          "token 1",
          "string refused",
          "the operator",
          "every probe refused, 380 s after the order",
          "log of revoke",
        ],
        [
          "token 2",
          "string refused",
          "the operator",
          "every probe refused, 380 s after the order",
          "log of revoke",
        ],
        [
          "token 3",
          "string refused",
          "the operator",
          "every probe refused, 380 s after the order",
          "log of revoke",
        ],
        [
          "secret",
          "saved by others",
          "not Keyturn",
          "a version under an id that Keyturn’s rotations do not put, with the string of token 4; it has AWSCURRENT now",
          "Secrets Manager, log of rotate",
        ],
      ]
    `);
    expect(notesOf(told)).toMatchInlineSnapshot(`
      [
        [
          "seen",
          "seen",
          "seen",
          "seen seen; the first version of a secret has AWSCURRENT as soon as it is stored",
          "none is known that was there before",
        ],
        [
          "seen",
          "seen",
          "seen",
          "seen",
          "seen refused: every probe refused, 380 s after the order",
        ],
        [
          "seen",
          "seen",
          "seen",
          "seen",
          "seen refused: every probe refused, 380 s after the order",
        ],
        [
          "seen",
          "seen",
          "seen",
          "seen",
          "seen refused: every probe refused, 380 s after the order",
        ],
      ]
    `);

    const { stdout } = await run(['history', 'telegraf']);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
    // Of one entry nothing is told of another.
    expect(stdout).not.toContain('grafana');
  });

  it('says of a string that was given back not that it is refused', async () => {
    const { world, run } = await openRotated();
    const former = world.string(TELEGRAF);
    const reason = ['--reason', 'odd writes', '--yes'];
    expect((await run(['revoke', '--token', 'telegraf', '--freeze', ...reason])).code).toBe(0);
    const isRefused = async () =>
      (await tell(run, 'telegraf')).told.rotations?.map(({ steps }) => steps.at(-1)?.note ?? '');
    expect((await run(['unfreeze', 'telegraf', ...reason])).code).toBe(0);
    expect((await run(['rotate', 'telegraf'])).code).toBe(0);
    expect(world.accepts(former)).toBe(true);
    expect((await isRefused())?.filter((note) => note.startsWith('refused'))).toEqual([]);
  });

  it('tells of the tokens of a secret that is gone, and that its versions are not to be had', async () => {
    const { world, run } = await openRotated();
    const current = world.holders(TELEGRAF).AWSCURRENT;
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.wait(10 * MINUTE);

    const { code, told } = await tell(run, 'telegraf');
    expect(code).toBe(3);
    expect(told.sources.find(({ source }) => source === 'Secrets Manager')).toMatchObject({
      isWhole: false,
      found: expect.stringContaining(`${TELEGRAF}: it is not listed as ours`),
    });
    const minted = told.entries.find((each) => each.what === 'minted' && each.tokenId === current);
    expect(minted?.sources).toContain('cluster');
  });

  it('says of each log group that is missing, or that may not be read, why, and tells the rest', async () => {
    const { world, run } = await openRotated();
    delete world.aws.logs.groups['/aws/lambda/keyturn-prod-enforce'];
    world.intercept(denying('/aws/lambda/keyturn-prod-rotate'));
    const { code, told } = await tell(run, 'telegraf');
    expect([code, told.complete]).toEqual([3, false]);
    const found = new Map(told.sources.map((each) => [each.source, each]));
    expect(found.get('log of enforce')).toMatchObject({
      isWhole: false,
      found: expect.stringMatching(/^there is no log group \/aws\/lambda\/keyturn-prod-enforce /),
    });
    expect(found.get('log of rotate')).toMatchObject({
      isWhole: false,
      found: expect.stringContaining('your own credentials need logs:FilterLogEvents on'),
    });
    expect(found.get('log of reap')).toMatchObject({
      isWhole: true,
      found: expect.stringMatching(/^no lines: /),
    });
    // What the two systems say is told all the same, and what only the log knew is not claimed.
    const none = 'no evidence in what was read';
    expect(notesOf(told)).toEqual([
      ['seen', 'seen', none, expect.stringMatching(/^seen then or later: /), none],
      [
        ...['seen', 'seen', none, expect.stringMatching(/^seen then or later: /)],
        expect.stringMatching(/^not yet: /),
      ],
    ]);
  });

  it('reads pages to their end, also behind empty ones, and waits where it is throttled', async () => {
    const { world, run } = await openRotated();
    const { told: whole } = await tell(run, '--since', '90d');
    world.aws.logs.pageSize = 2;
    world.aws.logs.isSparse = true;
    let throttled = 0;
    world.intercept((call, effect) => {
      if (call.server !== 'logs') return Promise.resolve(effect());
      throttled += 1;
      return Promise.resolve(throttled % 2 === 1 ? THROTTLED : effect());
    });
    const { code, told } = await tell(run, '--since', '90d');
    expect(code).toBe(0);
    expect(told.entries).toEqual(whole.entries);
    expect(throttled).toBeGreaterThan(30);
  });

  it('claims nothing of what only logs knew that are gone', async () => {
    const { world, run } = await openRotated();
    await world.wait(91 * DAY);
    const { code, told } = await tell(run, 'telegraf', '--since', '1y');
    expect(code).toBe(0);
    expect(told.sources.slice(0, 5).every(({ found }) => found.startsWith('no lines: '))).toBe(
      true,
    );
    expect(told.rotations?.map(({ steps }) => steps.find(({ step }) => step === 'proven'))).toEqual(
      [1, 2].map(() => ({ step: 'proven', sources: [], note: 'no evidence in what was read' })),
    );
    expect(told.entries.filter(({ what }) => what === 'promoted').map(({ by }) => by)).toEqual([
      'Keyturn, or who moved AWSCURRENT',
      'Keyturn, or who moved AWSCURRENT',
    ]);
  });

  it('tells of an entry that is gone from the policy, by the name of its secret', async () => {
    const { world, run } = await openRotated();
    const { tokens, ...policy } = world.policy as { readonly tokens: Record<string, object> };
    const { telegraf, ...others } = tokens;
    const KEYTURN_POLICY = writeTemporary('keyturn.yaml', { ...policy, tokens: others });
    const ask = (name: string) => run(['history', name, '--json'], '', { KEYTURN_POLICY });
    const told = JSON.parse((await ask(TELEGRAF)).stdout) as Told;
    expect(notesOf(told)).toHaveLength(2);
    expect(told.entries.some(({ tokenId }) => tokenId === world.holders(TELEGRAF).AWSCURRENT)).toBe(
      true,
    );
    expect(told.entries.some(({ token }) => token === 'grafana')).toBe(false);
    for (const when of ['2026-02-30', '0d', '0h0m']) {
      const { code, stdout, stderr } = await run(['history', '--since', when]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('expected a duration above zero');
    }
    // A slip is no empty history.
    expect(await ask('keyturn/prod/telegraff')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('found nothing of keyturn/prod/telegraff since '),
    });
    expect(await ask('telegraf')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('found no token telegraf in '),
    });
  });

  it('knows of this machine’s own work only what the two systems say, since it is in no log', async () => {
    const { run } = await openLocal();
    expect((await run(['rotate', 'telegraf', '--local'])).code).toBe(0);
    const { code, told } = await tell(run, 'telegraf', '--local');
    expect(code).toBe(3);
    const missing = told.sources.filter(({ found }) => found.startsWith('there is no log group'));
    expect(missing).toHaveLength(5);
    const none = 'no evidence in what was read';
    expect(notesOf(told)).toEqual([
      ['seen', 'seen', none, expect.stringMatching(/^seen then or later: /), none],
    ]);
  });

  it('tells what the logs say where the function cannot be asked, and fails where nothing can be read', async () => {
    const { world, run, env } = await openRotated();
    const nowhere = { AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:9' };
    const { code, stdout } = await run(['history', '--since', '90d'], '', nowhere);
    expect([code, stdout]).toEqual([
      3,
      expect.stringMatching(/cluster and Secrets Manager: keyturn-prod-rotate did not answer/),
    ]);
    expect(stdout).toContain('promoted in place of');
    const none = await run(['history'], '', {
      ...nowhere,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'http://127.0.0.1:9',
    });
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toMatch(/^keyturn: nothing could be read\. /);
    expect(env.AWS_REGION).toBe(world.aws.region);
  });
});
