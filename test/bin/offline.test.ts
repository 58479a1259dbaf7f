import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyturn, temporaryFolder, writeTemporary } from './cli.ts';

const VERBS =
  'validate schema doctor plan status rotate apply whois revoke unfreeze lift restore'.split(' ');

/** What people have in ~/.aws/config. */
const PROFILES = `
[profile ops]
role_arn = arn:aws:iam::111122223333:role/ops
mfa_serial = arn:aws:iam::111122223333:mfa/alice
source_profile = base
[profile base]
aws_access_key_id = AKIAEXAMPLE1234567
aws_secret_access_key = abcdefghijABCDEFGHIJ0123456789abcdefghij
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = ops
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
`;

describe('keyturn validate', () => {
  it('warns of what is allowed and unwise, and still finds no mistake', async () => {
    const text = readFileSync('keyturn.example.yaml', 'utf8').replace('Mon-Fri 09', 'Mon 09');
    const file = writeTemporary('policy.yaml', text);
    const { code, stdout } = await keyturn(['validate', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /: no mistakes\nwarning: .*policy\.yaml:\d+: tokens\.grafana\.rotateEvery: 7d is also the time/,
    );
    const answer = await keyturn(['validate', file, '--json']);
    expect(JSON.parse(answer.stdout)).toEqual({
      valid: true,
      mistakes: [],
      warnings: [expect.stringContaining('tokens.grafana.rotateEvery')],
    });
  });

  it('refuses what only the next deployment must mend, which keeps nobody from an order', async () => {
    const file = writeTemporary('policy.yaml', {
      owner: 'prod',
      cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
      schedules: { rotate: 'cron(0 3 * * ? *)' },
      tokens: { grafana: { permissions: { read: ['a'] }, windows: ['Mon-Fri 09:00-17:00'] } },
    });
    const { code, stdout } = await keyturn(['validate', file]);
    expect([code, stdout]).toEqual([1, expect.stringContaining('windows')]);
    const env = { AWS_REGION: 'eu-west-1', AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere' };
    const id = '00000000-0000-4000-8000-000000000000';
    const ordered = await keyturn(['whois', '--token-id', id, '--policy', file], { env });
    expect(ordered.stderr).toContain('found no AWS credentials');
  });

  it('passes the example', async () => {
    expect(await keyturn(['validate', 'keyturn.example.yaml'])).toEqual({
      code: 0,
      stdout: 'keyturn.example.yaml: no mistakes\n',
      stderr: '',
    });
  });

  it('prints every mistake by line, found and expected', async () => {
    const text = readFileSync('keyturn.example.yaml', 'utf8').replace(
      'rotateEvery: 30d',
      'rotateEvery: 30',
    );
    const file = writeTemporary('policy.yaml', text);
    const { code, stdout } = await keyturn(['validate', file]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /policy\.yaml:\d+: defaults\.rotateEvery: found 30, expected a duration/,
    );
    const answer = await keyturn(['validate', file, '--json']);
    expect(answer.code).toBe(1);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      valid: false,
      mistakes: [expect.any(String)],
    });
  });
});

it('a preview of a file that no deployment takes says so, also to who reads Markdown or JSON', async () => {
  const file = writeTemporary('policy.yaml', {
    owner: 'prod',
    cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
    databases: [{ name: 'a', retention: '30d', approve: { shortenRetentionUntil: '9999-12-31' } }],
    tokens: { telegraf: { permissions: { write: ['a'] } } },
  });
  const mistake =
    /approve\.shortenRetentionUntil: found "9999-12-31", expected a date within a year/;
  const plan = ['plan', '--local', '--policy', file];
  const markdown = await keyturn([...plan, '--markdown']);
  expect(markdown.code).toBe(1);
  expect(markdown.stdout).toMatch(/^<!-- keyturn-plan -->\n### Keyturn has no plan\n/);
  expect(markdown.stdout).toMatch(mistake);
  const json = await keyturn([...plan, '--json']);
  expect([json.code, JSON.parse(json.stdout).error.message]).toEqual([
    1,
    expect.stringMatching(mistake),
  ]);
});

describe('several policy files', () => {
  const TOLD = { alarms: { emails: ['on-call@example.com'] } };
  const policyOf = (owner: string, rotateEvery = '30d') =>
    writeTemporary(`${owner}.yaml`, {
      owner,
      cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
      defaults: { rotateEvery },
      deployment: TOLD,
      tokens: { telegraf: { permissions: { write: ['telemetry'] } } },
    });

  it('are all validated, by name or by KEYTURN_POLICY, and two of one owner are refused by name', async () => {
    const [north, south, wrong] = [policyOf('north'), policyOf('south'), policyOf('west', '30')];
    const said = `${north}: no mistakes\n${south}: no mistakes\n`;
    expect((await keyturn(['validate', north, south])).stdout).toBe(said);
    const env = { KEYTURN_POLICY: `${north},${south}` };
    expect((await keyturn(['validate'], { env })).stdout).toBe(said);
    const { code, stdout } = await keyturn(['validate', north, wrong, south]);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/west\.yaml:\d+: defaults\.rotateEvery/),
    ]);
    const same = await keyturn(['validate', north, north]);
    expect([same.code, same.stdout]).toEqual([
      1,
      `${north}: found twice among the policy files, expected once; take one out\n`,
    ]);
    const another = policyOf('north');
    const twice = await keyturn(['validate', north, another, '--json']);
    expect(twice.code).toBe(1);
    expect(JSON.parse(twice.stdout).mistakes).toEqual([
      expect.stringMatching(
        `^${another}: owner: found "north", which is also the owner in ${north}`,
      ),
    ]);
    expect((await keyturn(['validate', north, another])).stdout).toMatch(
      new RegExp(`^${north}: no mistakes\n${another}: owner: found "north", .*\n$`),
    );
  });

  it('are refused where two of them are to write one secret, by both names', async () => {
    const sharing = (owner: string, token: string) =>
      writeTemporary(`${owner}.yaml`, {
        owner,
        cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
        deployment: TOLD,
        tokens: { [token]: { secret: 'legacy/telegraf', permissions: { write: ['telemetry'] } } },
      });
    const [north, south] = [sharing('north', 'telegraf'), sharing('south', 'agent')];
    const { code, stdout } = await keyturn(['validate', north, south]);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(
        `^${north}: no mistakes\n${south}: tokens.agent.secret: found "legacy/telegraf", which is also that of "telegraf" in ${north}, expected another one: .*\n$`,
      ),
    ]);
    expect((await keyturn(['validate', south])).code).toBe(0);
  });

  it('are named by --policy too, as all other commands name theirs', async () => {
    const [north, south] = [policyOf('north'), policyOf('south')];
    const said = `${north}: no mistakes\n${south}: no mistakes\n`;
    const named = await keyturn(['validate', '--policy', `${north},${south}`]);
    expect(named).toEqual({ code: 0, stdout: said, stderr: '' });
    const both = await keyturn(['validate', north, '--policy', south]);
    expect([both.code, both.stdout]).toEqual([1, '']);
    expect(both.stderr).toContain(
      `found both ${north} and --policy ${south}, expected one of them`,
    );
  });

  it('are too many for what is done to one deployment', async () => {
    const env = { KEYTURN_POLICY: 'a.yaml,b.yaml' };
    for (const verb of ['status', 'pause']) {
      const { code, stderr } = await keyturn([verb], { env });
      expect(code).toBe(1);
      expect(stderr).toBe(
        'keyturn: found 2 policy files (a.yaml, b.yaml), expected one: the command is for one deployment; choose it with --policy\n',
      );
    }
  });
});

it('prints the JSON Schema of the policy', async () => {
  const { code, stdout } = await keyturn(['schema']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'object',
    required: expect.arrayContaining(['owner']),
  });
});

it('has examples in the help of every verb', async () => {
  const helps = await Promise.all(VERBS.map((verb) => keyturn([verb, '--help'])));
  for (const [index, { code, stdout }] of helps.entries()) {
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:/);
    expect(stdout).toContain(`  keyturn ${VERBS[index]}`);
  }
});

describe('says in one line what was found, what was expected and what to do:', () => {
  const policy = ['--policy', 'keyturn.example.yaml'];

  it.each([
    [
      'no policy file',
      ['plan', '--policy', 'none.yaml'],
      /^none\.yaml: cannot read the policy file; check its path and permissions\n$/,
    ],
    [
      'a policy file without an end',
      ['plan', '--policy', '/dev/zero'],
      /^keyturn: \/dev\/zero: found more than 10 MB in the policy file; check its path and permissions\n$/,
    ],
    [
      'a management token without an end',
      ['whois', ...policy, '--local', '--token-id', 'x', '--management-token-file', '/dev/zero'],
      /^keyturn: found more than 10 MB in \/dev\/zero, expected a file with only the management token, .*; correct --management-token-file\n$/,
    ],
    [
      'a management token for functions that have their own',
      ['status', ...policy, '--management-token-file', 'token.txt'],
      /^keyturn: found --management-token-file without --local, expected both or neither: .*\. Nothing was done\n$/,
    ],
    [
      'the help of a command that is not there',
      ['help', 'nosuch'],
      /^keyturn: unknown command 'nosuch'; keyturn --help lists the commands\n$/,
    ],
    [
      'the help of a command that is misspelt',
      ['help', 'rotat'],
      /^keyturn: unknown command 'rotat'; did you mean: keyturn rotate\n$/,
    ],
    [
      'no selector',
      ['revoke', ...policy],
      /^keyturn: found none, expected exactly one of --token, .*--leaked; say which/,
    ],
    [
      'two selectors',
      ['revoke', '--all', '--token', 'a', ...policy],
      /found --token and --all, expected exactly one of/,
    ],
    [
      'two ways',
      ['revoke', '--freeze', '--delete', '--all'],
      /'--freeze' cannot be used with option '--delete'/,
    ],
    ['nobody', ['unfreeze', ...policy], /found none, expected exactly one of --token, --token-id/],
    [
      'an unknown token',
      ['rotate', 'telegraff', ...policy],
      /found no token telegraff .* expected one of telegraf, grafana/,
    ],
    ['an unknown option', ['plan', '--jsno'], /unknown option '--jsno'/],
  ])('%s', async (_what, args, message) => {
    const { code, stdout, stderr } = await keyturn(args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.replace(/^keyturn: (?=none)/, '')).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['nothing', '', 'found nothing on standard input'],
    ['a management token', 'M.V1.c2VjcmV0LXNlY3JldA==', 'found a management token'],
    ['prose', 'no token in here', 'found a text without a token string'],
    ['a management token in a file', 'A=1\nTOKEN=M.V1.c2VjcmV0LXNlY3JldA==\n', 'influxctl'],
    ['the first half of a token', `apiv1_${'a'.repeat(15)}... somewhere`, 'found 15 characters'],
  ])('%s as a leaked string, without quoting it', async (_what, stdin, message) => {
    const { code, stdout, stderr } = await keyturn(['whois', ...policy], { stdin });
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    for (const word of stdin.split(' ').filter(({ length }) => length > 5)) {
      expect(stdout + stderr).not.toContain(word);
    }
  });

  it.each([
    ['--token', ['revoke', '--token']],
    ['--token-id', ['revoke', '--token-id']],
    ['--secret', ['revoke', '--secret']],
    ['--database', ['revoke', '--database']],
    ['--reason', ['revoke', '--all', '--reason']],
    ['--confirm', ['revoke', '--all', '--confirm']],
    ['--token-id', ['whois', '--token-id']],
    ['--management-token-file', ['whois', '--management-token-file']],
    ['an argument', ['unfreeze']],
    ['an argument', ['rotate', 'telegraf']],
    ['an argument', ['whois']],
    ['an argument', []],
  ])('a token string in %s, without quoting it: %j', async (place, args) => {
    const secret = 's3cret+/'.repeat(10);
    const encoded = encodeURIComponent(`apiv1_${secret}abcdef==`);
    const { code, stdout, stderr } = await keyturn([...args, encoded]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`found a token string in ${place}, expected none`);
    expect(stderr).toContain('keyturn revoke --leaked');
    expect(stderr).not.toContain('s3cret');
  });

  it.each([
    ['--token', ['revoke', '--token']],
    ['--reason', ['revoke', '--all', '--yes', '--reason']],
    ['an argument', ['unfreeze']],
  ])('a token string that was copied without its first letters in %s', async (place, args) => {
    const part = randomBytes(64).toString('base64');
    const { code, stdout, stderr } = await keyturn([...args, `piv1_${part}`]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`found a token string in ${place}, expected none`);
    expect(stderr).not.toContain(part);
  });

  it.each([
    ['an argument', ['rotate']],
    ['--reason', ['revoke', '--all', '--reason']],
  ])('the token of an administrator in %s', async (place, args) => {
    const jwt = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.${randomBytes(64).toString('base64url')}`;
    const { code, stdout, stderr } = await keyturn([...args, jwt]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`found a token string in ${place}, expected none`);
    expect(stderr).not.toContain('eyJ');
  });

  it.each(['KEYTURN_POLICY', 'KEYTURN_FUNCTION_PREFIX', 'KEYTURN_MANAGEMENT_TOKEN_FILE'])(
    'a token string in %s',
    async (name) => {
      const env = { [name]: `apiv1_${'s3cret+/'.repeat(10)}abcdef==` };
      const { code, stdout, stderr } = await keyturn(['whois', '--database', 'telemetry'], { env });
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`found a token string in ${name}, expected a name or a path`);
      expect(stderr).not.toContain('s3cret');
    },
  );

  it('no AWS credentials', async () => {
    const env = {
      AWS_REGION: 'eu-west-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: temporaryFolder(),
    };
    const { code, stderr } = await keyturn(['plan', ...policy], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^keyturn: found no AWS credentials, expected .*\n$/);
  });

  it.each([
    [
      'ops',
      /: Profile ops requires multi-factor authentication, but no MFA code callback was provided; .*"\$\(aws configure export-credentials --profile ops --format env\)"; unset AWS_PROFILE/,
    ],
    [
      'sso',
      /: The SSO session token associated with profile=sso was not found .* run 'aws sso login'/,
    ],
    ['misspelt', / of the profile misspelt, .*aws sts get-caller-identity --profile misspelt/],
    ['\u001b[2Jx', / of the profile {1,2}\[2Jx, /],
  ])('no AWS credentials of the profile %j, and says why', async (profile, why) => {
    const home = temporaryFolder();
    mkdirSync(join(home, '.aws'));
    writeFileSync(join(home, '.aws/config'), PROFILES);
    const env = {
      AWS_REGION: 'eu-west-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PROFILE: profile,
      HOME: home,
    };
    const { code, stderr } = await keyturn(['plan', ...policy], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^keyturn: found no AWS credentials.*\n$/);
    expect(stderr).toMatch(why);
  });

  it.each([{}, { AWS_REGION: '' }])('no AWS Region: %j', async (region) => {
    const env = { HOME: temporaryFolder(), ...region };
    const { code, stderr } = await keyturn(['plan', ...policy], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^keyturn: found no AWS Region, expected .*\n$/);
  });
});

it.each([
  ['--token', ['revoke', '--token', 'telegraf', '--token=grafana', '--freeze']],
  ['--token-id', ['revoke', '--token-id', 'a', '--token-id', 'b']],
  ['--secret', ['lift', '--secret', 'a', '--secret', 'b']],
  ['--database', ['unfreeze', '--database', 'a', '--database', 'b']],
  ['--reason', ['revoke', '--all', '--reason', 'a', '--reason', 'b']],
  ['--confirm', ['revoke', '--all', '--confirm', 'a', '--confirm', 'b']],
  ['--policy', ['status', '--policy', 'a', '--policy', 'b']],
  ['--function-prefix', ['plan', '--function-prefix', 'a', '--function-prefix', 'b']],
  ['--job', ['plan', '--job', 'reap', '--job', 'rotate']],
  ['--approve', ['apply', '--approve', 'a', '--approve', 'b']],
  ['--token-id', ['whois', '--token-id', 'a', '--token-id', 'b']],
  ['--by', ['adopt', 'grafana', '--confirm', '--by', 'a', '--by', 'b']],
  ['--reason', ['pause', '--reason', 'a', '--reason', 'b']],
])(
  'no value is dropped in silence: %s twice is an error, and nothing is done: %j',
  async (flag, args) => {
    const { code, stdout, stderr } = await keyturn([...args, '--json']);
    expect(code).toBe(1);
    const message = `found ${flag} twice, expected it once, because only the last one would count; give one command for each of its values. Nothing was done`;
    expect(stderr).toBe(`keyturn: ${message}\n`);
    expect(JSON.parse(stdout).error.message).toBe(message);
  },
);

const NO_AWS = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 'b',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
};
it('an error says the long name that a person gave', async () => {
  const prefix = 'Keyturn-ProductionCluster2-';
  const { stderr } = await keyturn(['plan', '--function-prefix', prefix], { env: NO_AWS });
  expect(stderr).toContain(prefix);
});

const OPAQUE = randomBytes(30).toString('base64').replaceAll('+', 'a').concat('aA1');
it.each([
  [
    '--management-token-file',
    ['whois', '--local', '--token-id', 'x', '--management-token-file', OPAQUE],
  ],
  ['--confirm', ['revoke', '--all', '--reason', 'x', `--confirm=${OPAQUE}`]],
  ['--policy', ['status', '--policy', OPAQUE]],
  ['--function-prefix', ['plan', '--function-prefix', OPAQUE]],
])('no error echoes what looks like an opaque string: %s', async (_flag, args) => {
  const { code, stdout, stderr } = await keyturn([...args, '--json'], { env: NO_AWS });
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain('[token]');
  expect(stdout + stderr).not.toContain(OPAQUE);
});

it('an error is JSON on standard output too, where JSON was asked for', async () => {
  const { code, stdout, stderr } = await keyturn([
    'revoke',
    '--token',
    'telegraf',
    '--all',
    '--json',
    '--reason',
    'leaked',
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain('found --token and --all, expected exactly one of');
  expect(JSON.parse(stdout)).toEqual({
    error: { kind: 'CommandError', message: expect.stringContaining('expected exactly one of') },
  });
});

it.each([
  [['revoke', '--json', '--bogus'], "unknown option '--bogus'"],
  [['revoke', '--json', '--freeze', '--delete', '--token', 'x'], 'cannot be used with option'],
  [['revoke', '--json', '--token'], 'argument missing'],
  [['revok', '--json'], "unknown command 'revok'"],
])('words that are not understood are JSON too: %j', async (words, message) => {
  const { code, stdout, stderr } = await keyturn(words);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
  expect(JSON.parse(stdout)).toEqual({
    error: { kind: 'CommandError', message: expect.stringContaining(message) },
  });
});

it.each([
  [['freeze', 'telegraf'], 'did you mean: keyturn revoke --token NAME --freeze'],
  [['freez', '--token', 'telegraf'], 'did you mean: keyturn revoke --token NAME --freeze'],
  [['hold', 'telegraf'], 'did you mean: keyturn revoke --token NAME --freeze'],
  [['delete', 'telegraf'], 'did you mean: keyturn revoke --token NAME --delete'],
  [['replace', 'telegraf'], 'did you mean: keyturn revoke --token NAME'],
  [['unfreez', 'telegraf'], 'did you mean: keyturn unfreeze'],
  [['bogus'], 'keyturn --help lists the commands'],
  [['revoke', '--token', 'x', '--unfreeze'], 'keyturn unfreeze NAME undoes --freeze, keyturn lift'],
  [['revoke', '--token', 'x', '--undo'], 'keyturn unfreeze NAME undoes --freeze, keyturn lift'],
])(
  'a word that is no command is answered by what is meant, and never by its opposite: %j',
  async (words, hint) => {
    const { code, stderr } = await keyturn(words);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^keyturn: unknown (?:command|option) '.*'; /);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('Did you mean');
  },
);
