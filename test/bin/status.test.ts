import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { answering } from '../world/faults.ts';
import { DAY, TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import type { World } from '../world/world.ts';
import { answeringLambda, FAILED } from './answering-lambda.ts';
import { keyturn, temporaryFolder } from './cli.ts';
import { openDeployed } from './operator.ts';

/** All is well. */
async function openWell() {
  const opened = await openDeployed({ databases: [{ name: 'telemetry' }] });
  await saysExpiry(opened.world);
  await opened.run(['rotate', 'telegraf', 'grafana']);
  return opened;
}

const saysExpiry = ({ people, cluster, clock }: World) =>
  people.saveValue(
    MANAGEMENT_SECRET,
    JSON.stringify({
      token: cluster.managementToken,
      expiresAt: new Date(clock.now() + 90 * DAY).toISOString(),
    }),
  );

it('exits with 0 where everything was looked at and is well, and with another code where something is not, or was not asked', async () => {
  const { world, run } = await openWell();
  const { code, stdout, stderr } = await run(['status']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    /^TOKEN +STATE +STRING +ID +NEXT ROTATION +EXPIRES\ntelegraf +works +accepted [\s\S]*\nmanagement token {2}expires in \d+d\S*\n[\s\S]*\nEverything was looked at and is well\.\n$/,
  );
  // No terminal, no colours.
  expect(stdout).not.toContain('\u001b');
  expect((await run(['status', '--json'])).code).toBe(0);

  const unasked = await run(['status', '--no-probe']);
  expect([unasked.code, unasked.stdout]).toEqual([7, expect.stringContaining('not asked')]);

  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  const gone = await run(['status']);
  expect([gone.code, gone.stdout]).toEqual([6, expect.stringMatching(/telegraf +gone /)]);
});

it('colours what is not well, where there are colours', async () => {
  const { run } = await openDeployed({ databases: [{ name: 'telemetry' }] });
  const { stdout } = await run(['status'], undefined, { FORCE_COLOR: '1' });
  expect(stdout).toContain('\u001b[31mmissing');
  expect(stdout).toContain('\u001b[33mexpiry unknown');
});

it('shows what it can see where one function cannot be asked, and fails where none can', async () => {
  const { world, run } = await openWell();
  const isOfReap = (call: Parameters<World['origin']>[0]) => world.origin(call)?.job === 'reap';
  world.intercept(async (call, effect) =>
    isOfReap(call) && call.server === 'management-api'
      ? { status: 403, body: '{"code":403,"message":"no"}' }
      : effect(),
  );
  const { code, stdout } = await run(['status']);
  expect(stdout).toMatch(/telegraf +works +accepted [\s\S]*\nreap could not be asked: .*403/);
  expect(code).toBe(7);
  const { stdout: json } = await run(['status', '--json']);
  expect(JSON.parse(json)).toMatchObject({
    verdict: 'unknown',
    notSeen: [{ job: 'reap', why: expect.stringContaining('403') }],
  });

  world.intercept(answering('ListSecrets', { status: 403, body: '{"__type":"AccessDenied"}' }));
  const { databases } = JSON.parse((await run(['status', '--json'])).stdout);
  expect(databases).toMatchObject([{ database: 'telemetry', state: 'in order' }]);
  world.intercept(async (call, effect) =>
    call.server === 'management-api'
      ? effect()
      : { status: 400, body: '{"__type":"AccessDeniedException"}' },
  );
  const none = await run(['status', '--local']);
  expect([none.code, none.stdout]).toEqual([1, '']);
  expect(none.stderr).toContain('could not be asked for the management token');
});

const USELESS = [6, 'no run can use it: what could not be asked says why'] as const;
const tokenDays: readonly (readonly [
  string,
  (world: World) => unknown,
  string,
  readonly [code: number, row: string],
])[] = [
  [
    'the cluster refuses the management token',
    ({ people }) => people.saveValue(MANAGEMENT_SECRET, 'no-token-of-anybody'),
    'the cluster refuses the management token in influxdb/management',
    USELESS,
  ],
  [
    'its secret is JSON without the key token',
    ({ people }) => people.saveValue(MANAGEMENT_SECRET, '{"secret": "x"}'),
    'found JSON without the string of a token under the key "token"',
    USELESS,
  ],
  [
    'its secret is not there',
    ({ people }) => people.deleteSecret(MANAGEMENT_SECRET),
    'influxdb/management',
    // So it is where Secrets Manager does not answer, which ends by itself.
    [7, 'unknown: no answer says it'],
  ],
];
it.each(tokenDays)(
  'shows what AWS alone says where %s',
  async (_what, spoil, words, [verdict, row]) => {
    const { world, run } = await openWell();
    await spoil(world);
    for (const more of [[], ['--local']]) {
      const { code, stdout } = await run(['status', ...more]);
      expect(stdout).toMatch(/^telegraf +\? +\?$/m);
      expect(stdout).toMatch(/^schedules +rotate, reap, enforce: on$/m);
      expect(stdout).toContain(`management token  ${row}\n`);
      expect(stdout.includes('Nothing bad was seen')).toBe(verdict === 7);
      const said = stdout.replaceAll(/\s+/g, ' ');
      expect(said).toContain(words);
      expect(said).toContain(`keyturn doctor ${more.length > 0 ? '--local ' : ''}looks`);
      expect(code).toBe(verdict);
    }
    const page = join(temporaryFolder(), 'page.html');
    expect((await run(['report', '--html', page])).code).toBe(verdict);
  },
);

it('says of a token given by hand that the cluster refuses it, and nothing of the one that runs use', async () => {
  const { world, run } = await openWell();
  const [token, byHand] = ['no-token-of-anybody', 'KEYTURN_MANAGEMENT_TOKEN'];
  const { code, stdout } = await run(['status', '--local'], '', { [byHand]: token });
  const said = stdout.replaceAll(/\s+/g, ' ');
  expect(said).toContain(
    'management token the one given by hand is refused: the one that runs use was not looked at',
  );
  expect(said).toContain('Nothing bad was seen');
  expect(stdout).not.toContain('no run can use it');
  expect(code).toBe(7);
  const json = await run(['status', '--local', '--json'], '', { [byHand]: token });
  expect(JSON.parse(json.stdout).managementToken).toEqual({
    verdict: 'unknown',
    by: 'hand',
    refused: true,
  });
  const page = join(temporaryFolder(), 'page.html');
  const report = await run(['report', '--local', '--html', page], '', { [byHand]: token });
  expect(report.code).toBe(7);
  expect(readFileSync(page, 'utf8')).toContain('the one given by hand is refused');
  expect((await run(['status', '--local'])).code).toBe(0);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

it('shows what AWS alone says where the cluster is away, and writes the page', async () => {
  const { world, run } = await openWell();
  world.intercept(async (call, effect) =>
    call.server === 'management-api' ? { status: 503, body: 'away' } : effect(),
  );
  const { code, stdout } = await run(['status']);
  expect(code).toBe(7);
  expect(stdout).toMatch(/^telegraf +\? +\?$/m);
  expect(stdout).toMatch(/^schedules +rotate, reap, enforce: on$/m);
  const said = stdout.replaceAll(/\s+/g, ' ');
  expect(said).toMatch(
    / rotate, reap, enforce could not be asked: GET \S+ answered 503 [^;]*; keyturn doctor looks further /,
  );
  expect(said).toContain(
    'Nothing bad was seen, and not everything was: not known of 2 of 2 tokens',
  );

  const page = join(temporaryFolder(), 'page.html');
  expect((await run(['report', '--html', page])).code).toBe(7);
  expect(readFileSync(page, 'utf8')).toContain('answered 503');
});

it('says how to ask a function of an earlier version, which cannot probe', async () => {
  const env = await answeringLambda((event, response) => {
    const errorMessage = 'the event: unknown key probe';
    if (event.probe) {
      return response
        .writeHead(200, FAILED)
        .end(JSON.stringify({ errorType: 'RequestError', errorMessage }));
    }
    const plan = { job: 'reap', actions: [], findings: [], limits: [], refusals: [] };
    return response.end(JSON.stringify({ plan }));
  });
  const { code, stdout } = await keyturn(['status'], { env });
  expect(stdout).toMatch(/^telegraf +\? +\?$/m);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    'rotate could not be asked: the event: unknown key probe; the deployed function is of an earlier version: deploy the stack, or use --no-probe',
  );
  expect(code).toBe(7);
});

it('looks again and again until Ctrl-C, which is no error, and goes on after a look that failed', async () => {
  const { world, env } = await openWell();
  let looks = 0;
  world.intercept((call, effect) => {
    if (call.operation === 'ListSecrets' && world.origin(call)?.job === 'rotate') looks += 1;
    const isOut = looks === 2 && call.server === 'management-api';
    return Promise.resolve(isOut ? { status: 401, body: '{"code":401}' } : effect());
  });
  const child = spawn(process.execPath, ['bin/keyturn.cjs', 'status', '--watch', '5'], {
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  let [shown, said] = ['', ''];
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const wells = () => shown.split('Everything was looked at and is well.').length - 1;
  child.stdout.on('data', (chunk) => {
    shown += chunk;
    if (wells() === 2) child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  expect(shown).toMatch(/^\S+Z, again every 5 s; Ctrl-C ends it\nTOKEN/);
  const said401 = shown.replaceAll(/\s+/g, ' ');
  expect(said401).toContain('refuses the management token');
  expect(said401).toContain('telegraf ? ?');
  for (const line of shown.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(wells()).toBe(2);
  expect([code, said.replaceAll(/^ +waiting.*\n/gm, '')]).toEqual([0, '']);
});

it('ends where nobody reads on, and does not look for ever', async () => {
  const { env } = await openWell();
  const command = 'node bin/keyturn.cjs status --watch 5 | head -1';
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const child = spawn('bash', ['-c', command], { env: { ...env, PATH: path }, detached: true });
  const kill = () => process.kill(-Number(child.pid), 'SIGKILL');
  const timer = setTimeout(kill, 30_000);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  expect(code).toBe(0);
});

it.each([['4'], ['x'], ['1.5'], ['86401']])('takes no pause of %s seconds', async (pause) => {
  const { code, stderr } = await keyturn(['status', '--watch', pause]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('expected seconds, from 5 to 86400')]);
});

it('watches for people alone', async () => {
  const { code, stderr } = await keyturn(['status', '--watch', '--json']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be used with')]);
});
