import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DAY, TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import type { World } from '../world/world.ts';
import { keyturn, temporaryFolder } from './cli.ts';
import { openDeployed } from './operator.ts';

/** Everything is as the policy says. */
async function openWell() {
  const opened = await openDeployed();
  const { world } = opened;
  const { managementToken: token } = world.cluster;
  const expiresAt = new Date(world.clock.now() + 90 * DAY).toISOString();
  await world.people.saveValue(MANAGEMENT_SECRET, JSON.stringify({ token, expiresAt }));
  for (const run of [world.rotate, world.reap, world.enforce]) await run();
  return { ...opened, file: join(temporaryFolder(), 'page.html') };
}

const denying =
  (group: string): Parameters<World['intercept']>[0] =>
  async (call, effect) =>
    call.server === 'logs' && call.subject === group
      ? {
          status: 400,
          body: JSON.stringify({ __type: 'AccessDeniedException', Message: 'not authorized' }),
        }
      : effect();

it('writes the page, says where and what it found, and ends with the code of status', async () => {
  const { world, run, file } = await openWell();
  const { code, stdout, stderr } = await run(['report', '--html', file, '--since', '1d']);
  expect([code, stderr]).toEqual([(await run(['status'])).code, '']);
  expect(code).toBe(0);
  expect(stdout.replaceAll('\n', ' ')).toMatch(
    /^wrote \S+page\.html Everything was looked at and is well\. 2 rotations and 0 incidents since \S+; 0 risks\. $/,
  );
  const page = readFileSync(file, 'utf8');
  for (const said of [world.holders(TELEGRAF).AWSCURRENT?.slice(0, 8), 'keyturn-prod-rotate']) {
    expect(page).toContain(said);
  }
  expect(page).toMatch(/account \d{12}, eu-west-1/);
  const { managementToken } = world.cluster;
  for (const string of [world.string(TELEGRAF), managementToken]) {
    expect(page).not.toContain(string?.slice(8, 28));
  }
});

it('prints the page to standard output, and nothing else, and writes no file of that name', async () => {
  const { run } = await openWell();
  const { code, stdout, stderr } = await run(['report', '--html', '-']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^<!doctype html>\n<!-- keyturn report -->\n[\s\S]*<\/html>\n+$/);
  expect(existsSync('-')).toBe(false);
  const both = await run(['report', '--html', '-', '--json']);
  expect([both.code, both.stderr + both.stdout]).toEqual([1, expect.stringContaining('--json')]);
});

it('says of what could not be read that it is not known, also by its code', async () => {
  const { world, run, file } = await openWell();
  world.intercept(denying('/aws/lambda/keyturn-prod-reap'));
  const { code, stdout } = await run(['report', '--html', file, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ file, verdict: 'well', complete: false, tokens: 2, databases: 1, risks: 1 },
    ...{ lives: 2, rotations: 2, revocations: 0, incidents: 0 },
  });
  expect(code).toBe(7);
  expect(readFileSync(file, 'utf8')).toContain(
    'logs:FilterLogEvents on /aws/lambda/keyturn-prod-reap',
  );
});

it('refuses a place that cannot be written before anybody is asked anything', async () => {
  const file = join(temporaryFolder(), 'no/such/page.html');
  const nobody = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_REGION: 'eu-west-1' };
  const { code, stdout, stderr } = await keyturn(['report', '--html', file], { env: nobody });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^keyturn: --html: found ENOENT.*expected the name of a file that can be written; nothing was done\n$/,
  );
});

it('writes no page where nothing could be looked at', async () => {
  const { world, run, file } = await openWell();
  world.intercept(() => Promise.resolve({ status: 503, body: '{}' }));
  const { code } = await run(['report', '--html', file, '--no-probe']);
  expect(code).toBe(1);
  expect(existsSync(file)).toBe(false);
});
