import { Command } from 'commander';
import { jitterOf } from '../../functions/policy/jitter.ts';
import type { Policy, TokenPolicy } from '../../functions/policy/policy.ts';
import {
  type Action,
  isRefused,
  type KnownToken,
  type PlanReport,
  readPlanReport,
  readRevocation,
} from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { formatRoughly } from './revocation-text.ts';
import { formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

interface TokenStatus {
  readonly token: string;
  readonly tokenId?: string;
  readonly state: string;
  readonly age?: string;
  readonly nextRotation?: string;
  readonly expiresIn?: string;
  readonly secret: string;
  readonly problem?: string;
}

type Plan = PlanReport['plan'];

/** Which token of a secret is shown: first the one that consumers read, then the one that stops them. */
const STATES_BY_RANK = ['current', 'frozen', 'stripped', 'expired', 'pending', 'live', 'inert'];

function shownToken(tokens: readonly KnownToken[]): KnownToken | undefined {
  const rank = ({ state }: KnownToken) => (STATES_BY_RANK.indexOf(state) + 99) % 100;
  return [...tokens].sort((a, b) => rank(a) - rank(b))[0];
}

function nextRotation(
  entry: TokenPolicy,
  known: KnownToken | undefined,
  plan: Plan,
  now: number,
): string | undefined {
  const isNow = ({ token }: Action, index: number) =>
    token === entry.name && !isRefused(plan, index);
  if (plan.actions.some(isNow)) return 'now';
  if (known?.state !== 'current') return undefined;
  const { createdAt, expiresAt } = known;
  const due = Date.parse(createdAt) + entry.rotateEvery - jitterOf(entry.secret, entry.rotateEvery);
  const near = expiresAt === undefined ? due : Date.parse(expiresAt) - entry.renewBefore;
  const at = Math.min(due, near);
  // Due but not planned: it waits for its window, or its age counts from its adoption.
  return at > now ? `in ${formatRoughly(at - now)}` : 'later';
}

function statusOf(
  entry: TokenPolicy,
  known: readonly KnownToken[],
  [rotation, reaping]: readonly [Plan, Plan],
  now: number,
): TokenStatus {
  const token = shownToken(known.filter(({ secret }) => secret === entry.secret));
  const findings = [...rotation.findings, ...reaping.findings];
  const problem = findings.find(({ secret }) => secret === entry.secret)?.message;
  const next = nextRotation(entry, token, rotation, now);
  const about = {
    token: entry.name,
    secret: entry.secret,
    ...(next !== undefined && { nextRotation: next }),
    ...(problem !== undefined && { problem }),
  };
  if (!token) return { ...about, state: 'missing' };
  const { createdAt, expiresAt, state, tokenId } = token;
  return {
    ...about,
    tokenId,
    state,
    age: formatRoughly(now - Date.parse(createdAt)),
    ...(expiresAt !== undefined && { expiresIn: expiryIn(Date.parse(expiresAt) - now) }),
  };
}

const expiryIn = (left: number) =>
  left > 0 ? `in ${formatRoughly(left)}` : `${formatRoughly(left)} ago`;

const rowOf = (each: TokenStatus) => [
  each.token,
  each.state,
  each.age ?? '',
  each.nextRotation ?? '',
  each.expiresIn ?? (each.tokenId === undefined ? '' : 'never'),
  each.secret,
  each.problem ?? '',
];

const HEADINGS = ['TOKEN', 'STATE', 'AGE', 'NEXT ROTATION', 'EXPIRES', 'SECRET', 'PROBLEM'];

function summaryOf(policy: Policy, known: readonly KnownToken[], reaping: Plan): string {
  const shown = new Set(policy.tokens.map(({ secret }) => secret));
  const unlisted = new Set(
    known.flatMap(({ owned, secret = '' }) => (owned && !shown.has(secret) ? [secret] : [])),
  );
  const facts = reaping.findings.filter(({ secret }) => secret === undefined);
  return [
    ...(unlisted.size > 0
      ? [`secrets that are not in the policy: ${[...unlisted].join(', ')}`]
      : []),
    ...facts.map(({ message }) => message),
  ].join('\n');
}

export const statusCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('status'))
    .summary('show the state, age and next rotation of every token')
    .description(
      'Show the state, age, next rotation, expiry and problems of every token in the policy.',
    )
    .addHelpText('after', '\nExamples:\n  keyturn status\n  keyturn status --local --json')
    .action(async (options: CommonOptions) => {
      const { engine, policy, json } = openEngine(options, terminal);
      const [whois, ...reports] = await Promise.all([
        engine.call('revoke', { way: 'whois', all: true }),
        engine.call('rotate', { dryRun: true }),
        engine.call('reap', { dryRun: true }),
      ]);
      const known = readRevocation(whois).plan.tokens;
      const [rotation, reaping] = reports.map((each) => readPlanReport(each).plan) as [Plan, Plan];
      const now = Date.now();
      const statuses = policy.tokens.map((entry) =>
        statusOf(entry, known, [rotation, reaping], now),
      );
      if (json) return terminal.printJson(statuses);
      terminal.print(formatTable(HEADINGS, statuses.map(rowOf), terminal.style));
      terminal.note(`\n${summaryOf(policy, known, reaping)}`);
    });
