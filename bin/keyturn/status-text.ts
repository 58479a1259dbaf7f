import { SCHEDULED } from '../../functions/environment.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { counted } from '../../functions/run/counted.ts';
import { formatState } from '../../functions/schedules/schedule-text.ts';
import { NEVER, UNREADABLE } from '../../functions/secrets-manager/management-token.ts';
import { formatInstant } from '../../functions/time.ts';
import { advised } from './advice.ts';
import { named } from './engine.ts';
import { fromNow } from './entry-text.ts';
import { findingVerdict, isInventory } from './finding-verdict.ts';
import { type OtherPolicy, type Status, scheduleVerdict } from './status-report.ts';
import type { StatusVerdict } from './status-verdict.ts';
import { formatTable, hanging, type TableRow, wrapped } from './table.ts';
import type { Style } from './terminal.ts';
import type { TokenStatus } from './token-status.ts';

const painted = (text: string, verdict: StatusVerdict, style: Style): string => {
  if (verdict === 'well') return text;
  return style(verdict === 'not well' ? 'red' : 'yellow', text);
};

const TOKEN_HEADINGS = ['TOKEN', 'STATE', 'STRING', 'ID', 'NEXT ROTATION', 'EXPIRES'];

function tokenRow(
  { entry, token, acceptance, nextRotation = '', problems, verdict }: TokenStatus,
  style: Style,
  now: number,
): TableRow {
  const { condition = 'unknown', tokenId, expiresAt } = entry ?? {};
  const expires = expiresAt === undefined ? 'never' : fromNow(expiresAt, now);
  return {
    cells: [
      token,
      entry ? condition : '?',
      entry ? acceptance.answer : '?',
      tokenId?.slice(0, 8) ?? '',
      nextRotation,
      tokenId === undefined ? '' : expires,
    ],
    notes: problems,
    // The state and what the cluster says.
    paint: (cell, column) => (column === 1 || column === 2 ? painted(cell, verdict, style) : cell),
  };
}

function databaseTable({ databases }: Status, style: Style): readonly string[] {
  if (databases.length === 0) return [];
  const rows = databases.map(({ database, state, problems, verdict }) => ({
    cells: [database, state],
    notes: problems,
    paint: (cell: string, column: number) => (column === 1 ? painted(cell, verdict, style) : cell),
  }));
  return ['', formatTable(['DATABASE', 'STATE'], rows, style)];
}

function managementLine({ managementToken }: Status, style: Style, now: number) {
  const label = 'management token';
  const [line] = hanging(`${label}  `, [managementTokenSaid(managementToken, now)], style);
  // The gap, or the end of a line, has no colour.
  const begin = line.slice(label.length).search(/\S/) + label.length;
  return line.slice(0, begin) + painted(line.slice(begin), managementToken.verdict, style);
}

/** When it expires, as far as its secret says it, or who cannot use it. */
export function managementTokenSaid(
  { by, expiresAt, useless, uselessTo, refused }: Status['managementToken'],
  now: number,
): string {
  if (useless) return 'no run can use it: what could not be asked says why';
  if (uselessTo) return `${uselessTo.join(', ')} cannot use it: what could not be asked says why`;
  if (refused) return 'the one given by hand is refused: the one that runs use was not looked at';
  if (by === undefined) return 'unknown: no answer says it';
  if (by === 'identity provider') return 'renewed by the identity provider';
  if (by === 'hand') return 'expiry unknown: it was given by hand';
  if (expiresAt === undefined) return 'expiry unknown: its secret does not say it';
  if (expiresAt === NEVER) return 'never expires';
  if (expiresAt === UNREADABLE) return 'expiry unknown: the expiresAt in its secret is no instant';
  const ends = Date.parse(expiresAt);
  return `${ends > now ? 'expires' : 'expired'} ${fromNow(ends, now)}`;
}

const jobOf = (name: string) => name.slice(name.lastIndexOf('-') + 1);

function scheduleLines({ schedules }: Status, style: Style): readonly string[] {
  const isOn = ({ state }: Status['schedules'][number]) => state === 'on';
  if (schedules.every(isOn))
    return hanging(
      'schedules         ',
      [`${schedules.map(({ name }) => jobOf(name)).join(', ')}: on`],
      style,
    );
  return [
    'schedules',
    ...schedules.map((each) =>
      painted(wrapped(scheduleSaid(each), style), scheduleVerdict(each), style),
    ),
  ];
}

/** `rotate: off since … by …; keyturn resume starts it` */
export function scheduleSaid(schedule: Status['schedules'][number]): string {
  const remedy = schedule.since === undefined ? '' : '; keyturn resume starts it';
  return `${jobOf(schedule.name)}: ${formatState(schedule)}${remedy}`;
}

/** Why the answers of a function are not about the file. */
export const otherPolicySaid = ({ job, keys }: OtherPolicy): string =>
  keys
    ? `${job} was deployed with another policy than the file: they differ in ${named(keys)}`
    : `${job} does not say which policy it was deployed with`;

const otherPolicyLines = ({ otherPolicies }: Status, style: Style): readonly string[] =>
  otherPolicies.map((each) => painted(wrapped(otherPolicySaid(each), style, ''), 'unknown', style));

const refusedLines = ({ refused }: Status, style: Style): readonly string[] =>
  refused.flatMap(({ job, message, command }) => [
    painted(wrapped(`refused (${job}): ${message}`, style, ''), 'not well', style),
    `  ${command}`,
  ]);

const otherLines = ({ others }: Status, style: Style): readonly string[] =>
  others.map((each) => {
    const { secret, message } = each;
    const line = wrapped(secret === undefined ? message : `${secret}: ${message}`, style, '');
    return isInventory(each) ? style('dim', line) : painted(line, findingVerdict(each), style);
  });

/** What the exit code says, in a sentence. */
export function lastLine(status: Status): string {
  const { tokens, databases, schedules, managementToken, verdict } = status;
  if (verdict === 'well') return 'Everything was looked at and is well.';
  const of = (
    what: readonly { readonly verdict: StatusVerdict }[],
    noun: string,
  ): readonly string[] => {
    const found = what.filter((each) => each.verdict === verdict).length;
    return found === 0 ? [] : [`${found} of ${counted(what.length, noun)}`];
  };
  const parts = [
    ...of(tokens, 'token'),
    ...of(databases, 'database'),
    ...of(
      schedules.map((each) => ({ verdict: scheduleVerdict(each) })),
      'schedule',
    ),
    ...(managementToken.verdict === verdict ? ['the management token'] : []),
  ];
  const others = status.others.filter((each) => findingVerdict(each) === verdict).length;
  if (verdict === 'unknown') {
    const jobs = status.notSeen.map(({ job }) => job);
    const differing = status.otherPolicies.map(({ job }) => job);
    const said = [
      ...parts,
      ...(jobs.length > 0 ? [`what ${jobs.join(' and ')} would say`] : []),
      ...(differing.length > 0 ? [`what ${differing.join(' and ')} would say by the file`] : []),
      ...(others > 0 ? ['the list of databases'] : []),
    ];
    return `Nothing bad was seen, and not everything was: not known of ${said.join(', ')}.`;
  }
  const refused = status.refused.length;
  const said = [
    ...parts,
    ...(refused > 0 ? [`${counted(refused, 'refusal')} to read`] : []),
    ...(others > 0 ? [counted(others, 'other finding')] : []),
  ];
  return `Not well: ${said.join(', ')}.`;
}

/** What one cause kept from several is said once. */
const notSeenLines = ({ notSeen, local }: Status, style: Style): readonly string[] =>
  [...Map.groupBy(notSeen, ({ why }) => why)].map(([why, those], index, { length }) => {
    const jobs = those.map(({ job }) => job).join(', ');
    const isEnd = notSeen.length === SCHEDULED.length && index === length - 1;
    const more = isEnd ? `; ${advised('keyturn doctor', local)} looks further` : '';
    return painted(
      wrapped(`${jobs} could not be asked: ${why}${more}`, style, ''),
      'unknown',
      style,
    );
  });

/** For people. */
export function formatStatus(status: Status, style: Style, now: number): string {
  const rows = status.tokens.map((each) => tokenRow(each, style, now));
  const lines = [
    ...notSeenLines(status, style),
    ...otherPolicyLines(status, style),
    ...refusedLines(status, style),
    ...otherLines(status, style),
  ];
  return [
    formatTable(TOKEN_HEADINGS, rows, style),
    ...databaseTable(status, style),
    '',
    managementLine(status, style, now),
    ...scheduleLines(status, style),
    ...(lines.length > 0 ? ['', ...lines] : []),
    '',
    painted(wrapped(lastLine(status), style, ''), status.verdict, style),
  ].join('\n');
}

const INSTANTS = ['expiresAt', 'dueAt', 'promotedFrom', 'refusedSince', 'heldSince'];

/** With instants as texts. */
const withTexts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, each) =>
    INSTANTS.includes(key) && typeof each === 'number' ? formatInstant(each) : each,
  );

/** All that the text says, for machines. */
export const statusJson = ({ verdict, tokens, ...status }: Status, { owner }: Policy): unknown => ({
  owner,
  verdict,
  tokens: tokens.map(({ entry, acceptance: { answer, why }, ...token }) => {
    const { acceptance, ...facts } = { ...entry };
    return withTexts({
      ...facts,
      ...token,
      accepted: answer,
      ...(why !== undefined && { acceptedWhy: why }),
    });
  }),
  ...(withTexts(status) as object),
});
