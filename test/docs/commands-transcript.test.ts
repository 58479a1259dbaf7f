import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { explain } from '../../bin/keyturn/failure.ts';
import { operatorName } from '../../bin/keyturn/operator.ts';
import { runProgram } from '../../bin/keyturn/program.ts';
import { redact } from '../../functions/credentials.ts';
import { temporaryFolder, writeTemporary } from '../bin/cli.ts';
import { openDeployed } from '../bin/operator.ts';
import { accountState, serveAccount } from '../bin/serve-account.ts';
import { serveLambda } from '../bin/serve-lambda.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import { openScreen } from './screen.ts';

const BEGINNING = `# Every command, on the sandbox

A cluster with two tokens, from the first look to an emergency, and what each command says. \`npx vitest run test/docs/commands-transcript.test.ts -u\` writes this page, and
the test fails when a command says something else. What the words mean: [glossary](glossary.md). What to do when: [operations](operations.md), [runbook](runbook.md).
A leak, with \`whois\` and \`revoke\`, [has a page of its own](leak-transcript.md).

\`npx --no -- keyturn --version\` prints the version, \`npx --no -- keyturn --help\` the commands and the exit codes (without the \`--\`, npx answers itself), \`keyturn help COMMAND\` what one takes. With \`--json\` each prints one JSON
document to standard output; \`completion\`, whose output is a script for a shell, does not.

**On a terminal**, text has colours unless \`NO_COLOR\` is set, and tables and sentences take its width; in a file or a pipe there are no colours and 80 columns. What is waited for
for longer than a second is said on standard error, and again every ten seconds; where standard error is no terminal, only every ten seconds.
`;

/** The machine's clock shows what the sandbox's shows. */
const STARTED_AT = Date.parse('2026-03-02T09:00:00Z');

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

/** Ids are others where two tokens are minted in another order: they are named by when they appear. */
function withSteadyIds(text: string): string {
  const names = new Map<string, string>();
  return text.replaceAll(
    /\b([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=\s|")[0-9a-f]{8}(?=\s|[:="]|$)/gm,
    (id) => {
      const short = id.slice(0, 8);
      const name = names.get(short) ?? `${names.size + 1}`.repeat(8).slice(0, 8);
      names.set(short, name);
      return id.length === 8 ? name : `${name}-0000-4000-8000-000000000000`;
    },
  );
}

it('is as the page says, from the first look to an emergency', { timeout: 300_000 }, async () => {
  vi.setSystemTime(STARTED_AT);
  const { world, env } = await openDeployed();
  const account = await serveAccount(
    accountState(`${env.KEYTURN_POLICY}`),
    env.AWS_ENDPOINT_URL_LAMBDA ?? '',
  );
  const environment = { ...env, ...account };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { managementToken: token } = world.cluster;
  await world.people.saveValue(
    MANAGEMENT_SECRET,
    JSON.stringify({ token, expiresAt: '2026-12-01T00:00:00Z' }),
  );
  const page: string[] = [];

  async function wait(milliseconds: number): Promise<void> {
    await world.wait(milliseconds);
    vi.setSystemTime(world.clock.now());
  }

  /** A run that the schedule began. */
  async function fire(): Promise<void> {
    const at = new Date(world.clock.now()).toISOString();
    const scheduled = { at, nextInSeconds: 1_800, thirdInSeconds: 5_400 };
    await world.rotate({ scheduled });
    vi.setSystemTime(world.clock.now());
  }

  /** What a command says, and with which code it ends unless that is 0. */
  async function show(words: string, { typed = [] as readonly string[], lines = 80 } = {}) {
    const { terminal, shown } = openScreen('', typed);
    process.exitCode = undefined;
    let code: number | undefined;
    try {
      await runProgram(terminal, ['node', 'keyturn', ...words.split(' ')]);
    } catch (error) {
      code = explain(error, terminal.note);
    }
    vi.setSystemTime(world.clock.now());
    const said = shown().split('\n');
    const cut = said.length > lines ? [...said.slice(0, lines), '…'] : said;
    const ended = code ?? Number(process.exitCode ?? 0);
    const end = ended === 0 ? [] : ['', `(exit code ${ended})`];
    const text = [`$ npx --no keyturn ${words}`, ...cut, ...end].join('\n');
    page.push(text.replace(/^(?=.)/gm, '    '), '');
  }
  const say = (text: string) => page.push(text, '');

  say('## Before the first run');
  await show('validate');
  await show('schema', { lines: 6 });
  await show('doctor');
  await show('plan');

  say('## The first tokens');
  await show('rotate telegraf grafana');
  await show('apply --job enforce', { typed: ['prod'] });
  await show('status');

  say('## When they are due');
  await wait(30 * DAY);
  await show('plan --job rotate');
  say('The schedules do that. Or a person, without waiting for them:');
  await fire();
  await wait(15 * MINUTE);
  await show('rotate telegraf');
  await show('status');
  await fire();

  say('## A changed policy, before it is deployed');
  const changed = writeTemporary('keyturn.yaml', {
    ...(world.policy as object),
    databases: [{ name: 'telemetry', maxTables: 300 }],
  });
  vi.stubEnv('KEYTURN_POLICY', changed);
  vi.stubEnv('KEYTURN_MANAGEMENT_TOKEN', token);
  await show('plan --local');
  await show('plan --local --markdown');
  vi.stubEnv('KEYTURN_MANAGEMENT_TOKEN', undefined);
  vi.stubEnv('KEYTURN_POLICY', env.KEYTURN_POLICY);

  say('## Everything stops, and goes on');
  await show('pause', { typed: ['maintenance of the cluster', 'prod'] });
  await show('status --no-probe');
  await show('resume', { typed: ['prod'] });

  say('## An emergency');
  await show('revoke --token telegraf --freeze --reason odd-writes', { typed: ['telegraf'] });
  expect(world.accepts(world.string(TELEGRAF))).toBe(false);
  await show('status');
  await show('unfreeze telegraf', { typed: ['they were ours', 'telegraf'] });

  say('## What was done, by whom, and why');
  // Of what was done to both tokens at once, chance decides which came first.
  await show('history --since 4m');
  await show('history grafana');
  const file = join(temporaryFolder(), 'keyturn.html');
  await show(`report --html ${file} --since 2026-03-01`);
  await wait(HOUR);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);

  say('## A token is not wanted for a while');
  await show('revoke --token grafana --delete --reason unused', { typed: ['grafana'] });
  await show('lift grafana', { typed: ['it is used after all', 'grafana'] });
  await fire();

  say('## A program still has an old token, a day too late');
  for (let day = 0; day < 3; day++) {
    await wait(DAY);
    await world.reap();
  }
  await show('restore telegraf', { typed: ['the restart comes on Monday', 'telegraf'] });

  say('## A cluster that has tokens already');
  const permissions = ['read', 'write'].map((action) => ({ action, resource: '*' }));
  const made = await world.people.mint({ description: 'of the admins', permissions });
  await world.people.createSecret('legacy/admin', made.accessToken);
  await wait(HOUR);
  const begun = join(temporaryFolder(), 'keyturn.yaml');
  vi.stubEnv('KEYTURN_MANAGEMENT_TOKEN', token);
  await show(
    `init ${begun} --from-cluster --url ${world.cluster.url} --owner plant --secret ${made.id.slice(0, 8)}=legacy/admin`,
  );
  vi.stubEnv('KEYTURN_MANAGEMENT_TOKEN', undefined);
  say('The file says what it found, and what is for a person to decide:');
  page.push(readFileSync(begun, 'utf8').replaceAll(/^(?=.)/gm, '    '), '');
  say(
    'Its first run proves that the string in the secret is the token’s. Of a token that may do everything, nothing proves it, and a person says so:',
  );
  const adopting = world.deploy({
    ...(world.policy as object),
    tokens: {
      admin: {
        ...{ permissions: { read: ['*'], write: ['*'] }, secret: 'legacy/admin' },
        adopt: { tokenId: made.id },
      },
    },
  });
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', await serveLambda(adopting));
  vi.stubEnv('KEYTURN_POLICY', writeTemporary('keyturn.yaml', adopting.policy));
  await show('adopt admin --confirm');
  vi.stubEnv(
    'AWS_ENDPOINT_URL_LAMBDA',
    account.AWS_ENDPOINT_URL_LAMBDA ?? env.AWS_ENDPOINT_URL_LAMBDA,
  );
  vi.stubEnv('KEYTURN_POLICY', env.KEYTURN_POLICY);

  say('## How the cluster behaves');
  Object.assign(world.cluster, { activationDelayMs: 3_000, revocationDelayMs: 3_000 });
  await show('doctor --measure --yes');

  say('## The rest');
  await show('completion bash', { lines: 3 });
  await show('takeover --all --confirm --dry-run');
  await show('apply --approve 0123456789abcdef');

  const text = withSteadyIds([BEGINNING, ...page].join('\n'))
    .replaceAll(new URL(world.cluster.url).host, 'influxdb.example.com')
    .replaceAll(operatorName(), 'ada@laptop')
    .replaceAll(/\/\S*\/(?=keyturn\.(?:yaml|html))/g, '')
    // Begun within one second, or on the border of two.
    .replaceAll(/(?<=, expires \S+:)\d\dZ/g, '00Z')
    // The port is in it.
    .replaceAll(/(?<=keyturn\.yaml \()[0-9a-f]{12}/g, '0123456789ab')
    .replace(/ +$/gm, '');
  expect(redact(text)).toBe(text);
  await expect(text).toMatchFileSnapshot('../../docs/commands.md');
});
