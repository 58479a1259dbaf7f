import { afterEach, expect, it, vi } from 'vitest';
import { runProgram } from '../../bin/keyturn/program.ts';
import { redact } from '../../functions/credentials.ts';
import { openDeployed } from '../bin/operator.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../world/policy.ts';
import { openScreen } from './screen.ts';

const BEGINNING = `# A leak, from the log to the proof

What an operator sees when a token string is found in a log, on the sandbox. \`npx vitest run test/docs/leak-transcript.test.ts -u\` writes this page, and the
test fails when the commands say something else. The string itself appears nowhere; [what each word means](glossary.md).
`;

/** The machine's clock shows what the sandbox's shows. */
const STARTED_AT = Date.parse('2026-03-02T09:00:00Z');

/** Which of the sandbox's ids a token gets depends on which of two was minted first. */
const OLD = '5a4f8dfa-cb1c-4bd3-842c-d575b8a39499';
const SUCCESSOR = '8974cf0c';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

it('is as the page says, from a string in a log to the proof that the cluster refuses it', {
  timeout: 120_000,
}, async () => {
  vi.setSystemTime(STARTED_AT);
  const { world, env } = await openDeployed();
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  // Secrets are made one after the other, in whichever order, and expiry is in whole seconds.
  await world.rotate({ tokens: ['telegraf'] });
  await world.rotate();
  await world.wait(12 * DAY + 3 * HOUR);
  const string = world.string(TELEGRAF);
  const { AWSCURRENT: old = '' } = world.holders(TELEGRAF);
  const found = `10.0.0.7 - - "GET /query?db=telemetry&p=${encodeURIComponent(string)} HTTP/1.1" 200\n`;

  async function run(words: string, stdin: string, ...typed: string[]): Promise<string> {
    const { terminal, shown } = openScreen(stdin, typed);
    vi.setSystemTime(STARTED_AT + 12 * DAY + 3 * HOUR + MINUTE);
    process.exitCode = undefined;
    await runProgram(terminal, ['node', 'keyturn', ...words.split(' ')]);
    const file = typed.length === 0 ? ' < access.log' : '';
    return `    $ npx --no keyturn ${words}${file}\n${shown().replace(/^(?=.)/gm, '    ')}\n`;
  }

  const page = [
    BEGINNING,
    'A line of a proxy’s log contains the string, percent-encoded:\n',
    `    $ cat access.log\n    ${redact(found)}`,
    '**Whose is it?** Only its fingerprint is sent.\n',
    await run('whois', found),
    '**What would be done?** A dry run changes nothing.\n',
    await run('revoke --leaked --dry-run', found),
    '**Revoke it.** The string is pasted and not shown; the reason and the confirmation are typed.\n',
    await run('revoke --leaked', string, 'in the log of a proxy', 'telegraf'),
  ];
  expect(process.exitCode).toBe(0);
  page.push(
    'The exit code is 0. Consumers that read their secret again use the successor, and the old string is refused everywhere:\n',
    await run('whois', found),
  );
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  const { AWSCURRENT: successor = '' } = world.holders(TELEGRAF);
  const text = page
    .join('\n')
    .replaceAll(old, OLD)
    .replaceAll(old.slice(0, 8), OLD.slice(0, 8))
    .replaceAll(successor.slice(0, 8), SUCCESSOR)
    .replace(/ +$/gm, '');
  expect(text).not.toContain(string.slice(6, 26));
  expect(redact(text)).toBe(text);
  await expect(text).toMatchFileSnapshot('../../docs/leak-transcript.md');
});
