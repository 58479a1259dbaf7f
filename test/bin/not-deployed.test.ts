import { expect, it } from 'vitest';
import { TELEGRAF, writer } from '../world/policy.ts';
import { writeTemporary } from './cli.ts';
import { openDeployed } from './operator.ts';

/** A person has put an entry into the file, and has not deployed it yet. */
async function openEdited(more: object = {}) {
  const { world, run: runDeployed } = await openDeployed();
  await world.rotate();
  const tokens = { ...Object(world.policy).tokens, later: writer };
  const KEYTURN_POLICY = writeTemporary('edited.yaml', { ...world.policy, ...more, tokens });
  const run = (...args: readonly string[]) => runDeployed(args, '', { KEYTURN_POLICY });
  return { world, run, runDeployed };
}

const ADVICE =
  'cdk diff shows how, cdk deploy gives it the file, and --local goes by the file at once';
const toldBy = (job: string, keys: string) =>
  `keyturn-prod-${job} was deployed with another policy than edited.yaml (they differ in ${keys}), and has no token later: ${ADVICE}`;

it.each([
  ['rotate later'],
  ['rotate telegraf later --dry-run'],
  ['adopt later --confirm'],
  ['takeover later --confirm'],
])('says of %s that the file has the token, and the deployed policy not yet', async (words) => {
  const { world, run } = await openEdited({ activationTimeout: '9m' });
  const before = world.holders(TELEGRAF);
  expect(await run(...words.split(' '))).toEqual({
    code: 1,
    stdout: '',
    stderr: `keyturn: ${toldBy('rotate', 'activationTimeout, tokens.later')}; nothing was done\n`,
  });
  expect(world.holders(TELEGRAF)).toEqual(before);
});

it.each([['revoke'], ['unfreeze'], ['lift'], ['restore']])(
  'says of an order of %s that the file has the token, and the deployed policy not yet',
  async (command) => {
    const { run } = await openEdited();
    for (const how of [['--token', 'later']]) {
      const ordered = await run(command, ...how, '--reason', 'x', '--yes');
      expect(ordered).toEqual({
        code: 1,
        stdout: '',
        stderr: `keyturn: ${toldBy('revoke', 'tokens.later')}; nothing was done\n`,
      });
    }
  },
);

it('says in a history of the token whose source could not be asked, and why', async () => {
  const { run } = await openEdited();
  const { stdout, stderr } = await run('history', 'later');
  expect((stdout + stderr).replaceAll(/\s+/g, ' ')).toContain(toldBy('rotate', 'tokens.later'));
});

it('still says of a name that neither has that the file lacks it, and asks nobody', async () => {
  const { run } = await openEdited();
  expect((await run('rotate', 'nobody')).stderr).toMatch(
    /^keyturn: found no token nobody in .*edited\.yaml, expected one of telegraf, grafana, later;/,
  );
  expect((await run('revoke', 'nobody', '--reason', 'x', '--yes')).stderr).toBe(
    'keyturn: neither the policy nor Secrets Manager has a token nobody; known here: telegraf, grafana\n',
  );
});

it('takes over all that is deployed, and names what is not', async () => {
  const { world, run } = await openEdited();
  const secrets = [TELEGRAF, 'keyturn/prod/grafana'];
  for (const secret of secrets) await world.people.untag(secret, ['keyturn:owner']);
  const shown = await run('takeover', '--all', '--confirm', '--dry-run');
  const told = `${toldBy('rotate', 'tokens.later')}; not taken over: later\n`;
  expect(shown).toMatchObject({ code: 1, stderr: told });
  expect(shown.stdout).toMatch(/^rotate: 2 to do\n/);
  const { code, stderr } = await run('takeover', '--all', '--confirm');
  expect({ code, stderr }).toEqual({ code: 1, stderr: told });
  for (const secret of secrets) expect(world.tags(secret)['keyturn:owner']).toBe('prod');
});
