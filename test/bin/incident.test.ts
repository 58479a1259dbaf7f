import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Reply } from '../../sandbox/interception.ts';
import { HOUR, TELEGRAF } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { temporaryFolder } from './cli.ts';
import { openDeployed } from './operator.ts';

/** What the command line says at three in the morning, where the likely thing is not what is so. */

const REASON = ['--reason', 'in a log', '--yes'];

async function openIssued() {
  const { world, run } = await openDeployed();
  await world.rotate();
  await world.wait(HOUR);
  return { world, run };
}

/** A server answers all that it is asked with this. */
const failing = (world: World, server: string, reply: Reply) =>
  world.intercept((call, effect) => Promise.resolve(call.server === server ? reply : effect()));

it('says whose a leaked string was that somebody deleted already', async () => {
  const { world, run } = await openIssued();
  const [string, id] = [world.string(TELEGRAF), world.holders(TELEGRAF).AWSCURRENT ?? ''];
  await world.people.deleteToken(id);
  const env = { KEYTURN_MANAGEMENT_TOKEN: world.cluster.managementToken };
  for (const answer of [
    await run(['whois'], string),
    await run(['whois', '--token-id', id]),
    await run(['whois', '--local'], string, env),
    await run(['whois', '--local', '--token-id', id], '', env),
  ]) {
    expect(answer.code).toBe(0);
    expect(answer.stdout).toContain(id);
    expect(answer.stdout).toMatch(/name +telegraf\nsecret +keyturn\/prod\/telegraf\n/);
    expect(answer.stdout).toMatch(/state +revoked/);
  }
  const { stderr } = await run(['whois'], string);
  expect(stderr).toContain(`consumers of ${TELEGRAF} have no token that works`);
  world.cluster.manners = { hidesRevoked: true };
  const hidden = await run(['whois', '--token-id', id]);
  expect(hidden.code).toBe(1);
  expect(hidden.stderr).toContain(`${id} is revoked already, and ${TELEGRAF} still has a version`);
  expect(hidden.stderr).not.toContain('check the id');
});

it.each(['--freeze', '--delete', '--immediately'])(
  'says that the string may still work, and what works, where Secrets Manager is down: %s',
  async (way) => {
    const { world, run } = await openIssued();
    const string = world.string(TELEGRAF);
    failing(world, 'secrets-manager', { status: 503, body: '{"__type": "ServiceUnavailable"}' });
    const { code, stderr } = await run(['revoke', '--leaked', way, ...REASON], string);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^keyturn: Secrets Manager could not .*; nothing was done, and what was meant may still work; .*KEYTURN_MANAGEMENT_TOKEN or --management-token-file\), keyturn revoke --leaked \(or --token-id ID\) --freeze --local needs the cluster alone$/m,
    );
    expect(world.accepts(string)).toBe(true);
  },
);

it.each([401, 403])(
  'says what to do about a management token that the cluster refuses: %s',
  async (status) => {
    const { world, run } = await openIssued();
    const string = world.string(TELEGRAF);
    failing(world, 'management-api', { status, body: '{"code": 401, "message": "no"}' });
    const order = await run(['revoke', '--leaked', ...REASON], string);
    expect(order.code).toBe(1);
    expect(order.stderr).toContain('nothing was done, and what was meant may still work');
    expect(order.stderr).toContain('put another management token into influxdb/management');
    expect(order.stderr).toContain('--freeze --local');
    expect(order.stderr).not.toContain('when the Management API answers');
    const whois = await run(['whois'], string);
    expect(whois.stderr).toContain('put another management token into influxdb/management');
    const status401 = await run(['status']);
    const shown = status401.stdout.replaceAll(/\s+/g, ' ');
    expect(shown).toContain(`answered ${status}`);
    if (status === 401) expect(shown).toContain('refuses the management token');
  },
);

const REPEAT = /Repeat the same command|does when repeated/;

it('says of a management token in hand that the cluster refuses that it is the wrong one', async () => {
  const { world, run } = await openIssued();
  const env = { KEYTURN_MANAGEMENT_TOKEN: world.string('keyturn/prod/grafana') };
  const string = world.string(TELEGRAF);
  const { code, stderr } = await run(
    ['revoke', '--leaked', '--freeze', '--local', ...REASON],
    string,
    env,
  );
  expect(code).toBe(1);
  expect(stderr).toContain('nothing was done, and what was meant may still work');
  expect(stderr).toContain('give another management token in KEYTURN_MANAGEMENT_TOKEN');
  expect(stderr).not.toContain('put another management token');
  const file = join(temporaryFolder(), 'keyturn.yaml');
  const init = ['init', file, '--from-cluster', '--url', world.cluster.url, '--owner', 'prod'];
  for (const args of [['status', '--local'], init]) {
    const looked = await run(args, '', env);
    const said = `${looked.stderr}${looked.stdout}`.replaceAll(/\s+/g, ' ');
    expect(said).toContain('refuses the management token that was given by hand; give another');
    expect(said).not.toContain('influxctl management create');
    expect(said.includes('then --management-secret says where it is')).toBe(args === init);
  }
});

it.each([401, 403])('blames no management token for the page of a proxy: %s', async (status) => {
  const { world, run } = await openIssued();
  failing(world, 'management-api', { status, body: '<html>your address is not allowed</html>' });
  const { code, stderr } = await run(['revoke', '--leaked', ...REASON], world.string(TELEGRAF));
  expect(code).toBe(1);
  expect(stderr).toContain('give the same order again when the Management API answers');
  expect(stderr).not.toMatch(/another management token|refuses the management token/);
});

it('advises to repeat what has no other string to compare once there is one', async () => {
  const { world, run } = await openIssued();
  const strings = `${world.string(TELEGRAF)}\n${world.string('keyturn/prod/grafana')}\n`;
  const { code, stdout } = await run(['revoke', '--leaked', '--freeze', ...REASON], strings);
  expect(code).toBe(3);
  expect(stdout).toContain('there is no other string to compare');
  expect(stdout).toContain('docs/runbook.md');
  expect(stdout).toContain('Repeat the same command as soon as another string does the same');
});

it('does not advise to repeat what another command ends, which it names', async () => {
  const { world, run } = await openIssued();
  await run(['revoke', 'telegraf', '--freeze', ...REASON]);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT ?? '');
  const { code, stdout } = await run(['unfreeze', 'telegraf', ...REASON]);
  expect(code).toBe(3);
  expect(stdout).toContain('keyturn rotate telegraf');
  expect(stdout).toContain('the lines above say');
  expect(stdout).not.toMatch(REPEAT);
  await run(['rotate', 'telegraf']);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

it('does not advise to repeat a lift behind which a freeze stays', async () => {
  const { run } = await openIssued();
  await run(['revoke', 'telegraf', '--freeze', ...REASON]);
  await run(['revoke', '--database', 'telemetry', '--delete', ...REASON]);
  const lift = ['lift', '--database', 'telemetry', ...REASON];
  const answers = [await run(lift), await run(lift)];
  expect(answers.map(({ code }) => code)).toEqual([3, 1]);
  for (const { stdout } of answers) {
    expect(stdout).toContain('unfreeze');
    expect(stdout).not.toMatch(REPEAT);
  }
  expect((await run(['unfreeze', 'telegraf', ...REASON])).code).not.toBe(1);
});

it('does not advise to repeat a freeze whose secret was deleted for good, and which can take no hold', async () => {
  const { world, run } = await openIssued();
  const string = world.string(TELEGRAF);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.wait(HOUR);
  const { code, stdout } = await run(['revoke', '--leaked', '--freeze', ...REASON], string);
  expect(code).toBe(3);
  expect(stdout).toContain('keyturn pause');
  expect(stdout).not.toMatch(REPEAT);
  await world.wait(HOUR);
  expect(world.accepts(string)).toBe(false);
});
