import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Several of them share the machine's cores with other tests. */
const TIMEOUT_MS = 400_000;

interface Ended {
  readonly code: number | null;
  /** What is wrapped is one line again. */
  readonly output: string;
  readonly lines: readonly string[];
  /** What `keyturn report` wrote of the days. */
  readonly page: string;
}

function start(...parameters: string[]): Promise<Ended> {
  const file = join(mkdtempSync(join(tmpdir(), 'keyturn-page-')), 'page.html');
  const words = ['sandbox/start.ts', '--page', file, ...parameters];
  const child = spawn(process.execPath, words, { cwd: `${import.meta.dirname}/..` });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    output += text;
  });
  return new Promise((resolve) =>
    child.on('close', (code) => {
      const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
      rmSync(dirname(file), { recursive: true });
      const lines = output.replaceAll(file, 'page.html').split('\n');
      resolve({ code, lines, page, output: output.replaceAll(/(?<=\S)\n {31}(?=\S)/g, ' ') });
    }),
  );
}

const count = (output: string, what: string) =>
  Number(new RegExp(`${what} +(\\d+)`).exec(output)?.[1]);

describe.concurrent('npm start', () => {
  test(
    'runs two weeks in which no consumer is rejected, through every state of a token',
    async () => {
      const { code, output, lines, page } = await start('--days', '14');

      expect(output).toMatch(/issued \(Missing\)/);
      expect(output).toMatch(/rotated \(Due\)/);
      expect(output).toMatch(/person +somebody wants a new token for grafana now/);
      expect(output).toMatch(/person +somebody saves the secret of telegraf/);
      expect(output).toMatch(/person +somebody lets Secrets Manager rotate invoices/);
      expect(output.match(/rotated \(Forced\)/g)).toHaveLength(2);
      expect(output).toMatch(/grace period over/);
      expect(output).toMatch(/quarantined/);
      expect(output).toMatch(/deleted \(QuarantineOver\)/);
      expect(output).toMatch(/deleted \(Orphan\)/);
      expect(output).toMatch(/deleted \(ForeignExpired\)/);
      expect(output).toMatch(/retention billing 30d -> 365d/);
      expect(output).toMatch(/retention telemetry infinite -> 90d .* is refused/);
      expect(count(output, 'consumer requests')).toBeGreaterThan(7_000);
      expect(count(output, 'rejected requests')).toBe(0);
      expect(count(output, 'failed invocations')).toBe(0);
      expect(count(output, 'broken invariants')).toBe(0);
      expect(output).toMatch(/leak +\w+ (deleted|gone), replaced by \w+, refused after \d+ s/);
      expect(output).toMatch(/leak +everything done and proven/);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      expect(lines.join(' ')).toMatch(
        /wrote page\.html .*Proven: in 14 days with \d+ rotations and \d+ acts of people and accident, none of [\d,]+ consumer requests was refused; .* a leaked string was replaced and seen refused\. Next: open page\.html /,
      );
      expect(page).toContain('found in public');
      for (const [, id] of output.matchAll(/ (\w{8}) issued/g)) expect(page).toContain(id);
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    'fails when somebody deletes a current token, and the next run heals it',
    async () => {
      const { code, output } = await start('--sabotage', 'revoke', '--days', '12');

      expect(output).toMatch(/telegraf +\w+ -> \w+ rotated \(CurrentGone\)/);
      expect(output).toMatch(/REJECTED/);
      expect(count(output, 'rejected requests')).toBeGreaterThan(0);
      expect(output).toMatch(/broken: A: not every router accepts \w+, current in \S+telegraf/);
      expect(output).toMatch(/NOT proven: \d+ rejected requests, \d+ broken invariants?\./);
      expect(output).not.toContain('Proven:');
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    'fails when the policy leaves no grace period',
    async () => {
      const { code, output } = await start('--sabotage', 'grace', '--days', '5');

      expect(output).toMatch(/grafana-late +REJECTED/);
      expect(count(output, 'rejected requests')).toBeGreaterThan(0);
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test.each(['probe', 'acceptance'])(
    'fails when tokens are promoted before every router accepts them (%s)',
    async (sabotage) => {
      const { code, output } = await start('--sabotage', sabotage, '--days', '3');

      expect(output).toMatch(/grafana +\w+ -> \w+ rotated \(Forced\)/);
      expect(output).toMatch(/broken: A: not every router accepts \w+, current in \S+grafana/);
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    'fails when an invocation fails that no incident explains, though no consumer notices',
    async () => {
      const { code, output } = await start('--sabotage', 'failure', '--days', '1');

      expect(output).toMatch(/enforce +FAILED InfluxError/);
      expect(count(output, 'failed invocations')).toBeGreaterThan(0);
      expect(count(output, 'rejected requests')).toBe(0);
      expect(count(output, 'broken invariants')).toBe(0);
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test('names the sabotages that there are', async () => {
    const { code, output } = await start('--sabotage', 'everything');

    expect(output).toContain(
      '--sabotage is one of revoke, grace, probe, acceptance, failure, not "everything"',
    );
    expect(code).toBe(2);
  });
});
