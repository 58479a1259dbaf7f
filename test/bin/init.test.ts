import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { formatInstant } from '../../functions/time.ts';
import { readPolicyFile } from '../../lib/policy-file.ts';
import { passThrough } from '../../sandbox/interception.ts';
import { makeCertificateChain } from '../certificate-chain.ts';
import { DAY } from '../world/policy.ts';
import { temporaryFolder } from './cli.ts';
import { openLocal } from './operator.ts';

const LONG = 120_000;

const grants = (action: string, ...databases: readonly string[]) =>
  databases.map((resource) => ({ action, resource }));

/** A cluster that nobody has looked after, and whoever begins to. */
async function openNeglected() {
  const { systems, run } = await openLocal({ databases: ['telemetry', 'quality', 'short'] });
  const { people, cluster } = systems;
  await people.changeDatabase('telemetry', { retentionPeriod: 30 * DAY * 1e6 });
  await people.changeDatabase('short', { retentionPeriod: 1_800e9 });
  const grafana = await people.mint({
    description: 'Grafana: "read" #1',
    permissions: [...grants('read', 'quality', 'telemetry'), ...grants('write', 'quality')],
  });
  const telegraf = await people.mint({
    description: 'telegraf\nowner: mallory',
    permissions: grants('write', '*', 'nowhere'),
    // Not on a border of hours: a fast machine reads this within the second in which it was written.
    expiresAt: formatInstant(Date.now() + 3 * DAY - DAY / 48),
  });
  await people.mint({
    description: `Copied: ${grafana.accessToken}`,
    permissions: grants('read', 'short'),
  });
  const other = await people.mint({
    description: 'x [keyturn:1 owner=staging secret=keyturn/staging/x home=1f0c9a2e]',
    permissions: grants('read', 'telemetry'),
  });
  await people.createSecret(
    'monitoring/grafana',
    `{"url": "x", "token": "${grafana.accessToken}"}`,
  );
  const folder = temporaryFolder();
  const file = join(folder, 'keyturn.yaml');
  const init = (...more: readonly string[]) =>
    run(['init', file, '--from-cluster', '--url', cluster.url, '--owner', 'prod', ...more]);
  return { systems, run, init, file, grafana, telegraf, other };
}

const planOf = async (run: Awaited<ReturnType<typeof openLocal>>['run'], file: string) => {
  const { stdout } = await run(['plan', '--local', '--json', '--policy', file]);
  const plans: readonly { readonly actions: readonly object[] }[] = JSON.parse(stdout);
  return plans.flatMap(({ actions }) => actions);
};

it(
  'writes a policy whose first plan takes over the tokens whose secrets are named, and changes nothing else',
  async () => {
    const { systems, run, init, file, grafana, telegraf, other } = await openNeglected();
    const methods = new Set<string>();
    systems.intercept((call, effect) => {
      if (call.server === 'management-api') methods.add(call.operation.split(' ')[0] ?? '');
      return passThrough(call, effect);
    });
    const { code, stdout, stderr } = await init(
      '--secret',
      `${grafana.id.slice(0, 8)}=monitoring/grafana#token`,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect([...methods]).toEqual(['GET']);
    systems.intercept();
    expect(stdout).toContain(
      '1 token to take over, 2 tokens without a secret, as comments, 3 databases\n',
    );

    const text = readFileSync(file, 'utf8');
    const { policy } = readPolicyFile(file);
    expect(policy.owner).toBe('prod');
    expect(policy.tokens).toMatchObject([
      {
        name: 'grafana-read-1',
        description: 'Grafana: "read" #1',
        secret: 'monitoring/grafana',
        adopt: { tokenId: grafana.id, key: 'token' },
      },
    ]);
    expect(policy.databases.map((rule) => ('name' in rule ? rule.name : ''))).toEqual([
      'quality',
      'short',
      'telemetry',
    ]);
    expect(text).toContain('  # ! keeps data for 30m, less than an hour\n');
    expect(text).toContain('  # ! keeps data for ever\n  - name: quality\n');
    expect(text).toContain('! 3 tokens never expire\n');
    expect(text).toContain('# ! may write every database ("*")\n');
    expect(text).toMatch(/# ! has a permission on what is not there: nowhere;/);
    expect(text).toMatch(/# ! expires in 2d23h/);
    expect(text).toContain(`token ${other.id}`);
    expect(text).toContain('"x": owner staging, secret keyturn/staging/x\n');
    expect(text).not.toMatch(/^owner: mallory/m);
    for (const string of [grafana, telegraf, other].map(({ accessToken }) => accessToken)) {
      expect(text + stdout).not.toContain(string);
    }

    expect(await planOf(run, file)).toMatchObject([
      { kind: 'adopt', token: 'grafana-read-1', tokenId: grafana.id },
    ]);

    // What waits, as a comment, is an entry as soon as its secret is named.
    await systems.people.createSecret('plant/telegraf', telegraf.accessToken);
    const entry = /^ {2}# telegraf-[^\n]*\n(?: {2}# {3}[^\n]*\n)+/m;
    const done = text.replace(entry, (lines) =>
      lines.replace(/^ {2}# /gm, '  ').replace(/secret: .*/, 'secret: plant/telegraf'),
    );
    writeFileSync(file, done);
    expect(await planOf(run, file)).toMatchObject([
      { kind: 'adopt', tokenId: grafana.id },
      { kind: 'adopt', tokenId: telegraf.id },
    ]);
  },
  LONG,
);

it(
  'says of a cluster with nothing in it what to write, and where something only waits, what to name',
  async () => {
    const { systems, run } = await openLocal({ databases: [] });
    const { people, cluster } = systems;
    const folder = temporaryFolder();
    const init = (file: string) =>
      run(['init', file, '--from-cluster', '--url', cluster.url, '--owner', 'prod']);

    const empty = join(folder, 'empty.yaml');
    const { code, stdout } = await init(empty);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `wrote ${empty}: 0 databases\nIt names nothing yet: write a token that Keyturn is to make, or a database, into it (docs/policy.md), then keyturn plan --local --policy ${empty}\n`,
    );
    const written = readFileSync(empty, 'utf8').replace(
      /^ {2}\{\} .*$/m,
      "  telegraf:\n    permissions: { read: '*' }",
    );
    writeFileSync(empty, written);
    expect(await planOf(run, empty)).toMatchObject([{ kind: 'rotate', token: 'telegraf' }]);

    await people.mint({ description: 'grafana', permissions: grants('read', '*') });
    const waiting = await init(join(folder, 'waiting.yaml'));
    expect(waiting.stdout).toContain('name the secret of a token in it first');
  },
  LONG,
);

it(
  'writes a policy of databases alone where no secret is named, whose plan changes nothing',
  async () => {
    const { run, init, file } = await openNeglected();
    expect((await init()).code).toBe(0);
    expect(readPolicyFile(file).policy.tokens).toEqual([]);
    expect(await planOf(run, file)).toEqual([]);
    const rotated = await run(['rotate', 'grafana', '--local', '--policy', file]);
    expect(rotated.stderr).toMatch(/found no token grafana in .*, which names databases alone/);
  },
  LONG,
);

it(
  'prints the policy for "-", and overwrites no file',
  async () => {
    const { run, systems, init, file } = await openNeglected();
    const printed = await run([
      ...['init', '-', '--from-cluster', '--owner', 'prod', '--url', systems.cluster.url],
    ]);
    expect([printed.code, printed.stderr]).toEqual([0, '']);
    writeFileSync(file, printed.stdout);
    expect(readPolicyFile(file).policy.databases).toHaveLength(3);

    const refused = await init();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${file} is there already, and is not overwritten`);
    expect(readFileSync(file, 'utf8')).toBe(printed.stdout);
  },
  LONG,
);

it.each([
  ['fails', async () => ({ status: 403, body: '{"message":"no"}' })],
  ['is cut', async (body: string) => ({ status: 200, body: body.slice(0, -20) })],
] as const)(
  'writes nothing where a listing %s',
  async (_how, answer) => {
    for (const operation of ['GET /tokens', 'GET /databases']) {
      const { systems, init, file } = await openNeglected();
      systems.intercept(async (call, effect) => {
        const reply = await passThrough(call, effect);
        if (call.operation !== operation || typeof reply === 'string') return reply;
        return answer(String(reply.body));
      });
      const { code, stdout, stderr } = await init();
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/nothing was written$/m);
      expect(existsSync(file)).toBe(false);
    }
  },
  LONG,
);

it(
  'takes over no token of another deployment',
  async () => {
    const { init, file, other } = await openNeglected();
    const { code, stderr } = await init('--secret', `${other.id}=x`);
    expect(code).toBe(1);
    expect(stderr).toContain(`token ${other.id} cannot be taken over: it has the marker`);
    expect(existsSync(file)).toBe(false);
  },
  LONG,
);

it(
  'writes nothing where the listing lacks a token that is there',
  async () => {
    const { systems, init, file, other } = await openNeglected();
    systems.cluster.manners = { longestListing: 1 };
    const { code, stderr } = await init('--secret', `${other.id}=x`);
    expect(code).toBe(1);
    expect(stderr).toContain(`GET /tokens does not show ${other.id}`);
    expect(existsSync(file)).toBe(false);
  },
  LONG,
);

it(
  'a cluster that nobody trusted vouches for is named, and the option that says who is trusted',
  async () => {
    const { run } = await openLocal({ databases: ['telemetry'] });
    const { leaf, issuing, key } = makeCertificateChain();
    const server = createServer({ key, cert: `${leaf}${issuing}` });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const owner = ['--owner', 'prod'];
    const { code, stderr } = await run(['init', '-', '--from-cluster', '--url', url, ...owner]);
    expect(code).toBe(1);
    expect(stderr).toContain(`/databases at ${url} failed: nobody trusted vouches`);
    expect(stderr).toContain(
      'name a PEM file with the certificates of its authority in --ca; nothing was written',
    );
    expect(stderr).not.toContain('cluster.ca');
  },
  LONG,
);

it.each([
  [['--secret', 'ffffffff=x'], /--secret: found no token with an id that begins with ffffffff/],
  [['--secret', 'x'], /--secret: expected the id of a token/],
  [['--owner', 'Prod'], /found --owner twice/],
  [['--management-secret', 'keyturn/prod/x'], /--management-secret: keyturn\/prod\/x begins with/],
  [['--data-url', 'ftp://x'], /--data-url: .*expected/],
  [['--ca', '/nowhere.pem'], /cannot read .*nowhere\.pem/],
])(
  'says what is wrong with %j, and writes nothing',
  async (more, expected) => {
    const { init, file } = await openNeglected();
    const { code, stderr } = await init(...more);
    expect(code).toBe(1);
    expect(stderr).toMatch(expected);
    expect(existsSync(file)).toBe(false);
  },
  LONG,
);
