import { formatInstant } from '../../../functions/time.ts';
import { oneLine } from '../../harmless.ts';
import { hanging, wrapped } from '../table.ts';
import type { Style } from '../terminal.ts';
import type { EvidenceStep, RotationEvidence } from './evidence.ts';
import { type Happening, secretNamed, timesText } from './happening.ts';

/** Something that was read, or was not, and what that means for the rest. */
export interface Source {
  readonly source: string;
  readonly isWhole: boolean;
  readonly found: string;
}

/** All that is shown. */
export interface History {
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** As it was asked for, or why it is so. */
  readonly sinceText: string;
  readonly happenings: readonly Happening[];
  /** The same, and what is still told of before, above all of tokens that lived in this time. */
  readonly told: readonly Happening[];
  /** By id, how the cluster lists the tokens that are neither deleted nor expired; `unmarked`: not as one of ours. Absent: it could not be asked. */
  readonly living?: ReadonlyMap<string, 'works' | 'without permissions' | 'unmarked'>;
  /** Absent: no token was named. */
  readonly rotations?: readonly RotationEvidence[];
  readonly sources: readonly Source[];
  /** The entry of a secret. */
  readonly entryOf: (secret: string) => string | undefined;
}

const short = (id: string) => id.slice(0, 8);

/** `telegraf 67cd832e` */
function subjectText({ tokenId, ...each }: Happening, { entryOf }: History): string {
  const { entry = each.subject } = each;
  const secret = secretNamed(each);
  const name = secret === undefined ? entry : (entryOf(secret) ?? secret);
  return [name, tokenId && short(tokenId)].filter(Boolean).join(' ');
}

function happeningText(each: Happening, history: History, style: Style): string {
  const { at, what, by, why, formerId, sources } = each;
  const inPlace = what === 'promoted' && formerId ? ` in place of ${short(formerId)}` : '';
  const times = timesText(each, formatInstant);
  const said = oneLine(`${subjectText(each, history)}: ${what}${inPlace}${times}`);
  const because = [by, why].filter(Boolean).join('; ');
  const details = oneLine(`${because ? `${because} ` : ''}[${sources.join(', ')}]`);
  const [first, second = ''] = hanging(`${formatInstant(at)}  `, [said, details], style);
  return `${first}\n${style('dim', second)}`;
}

const STEP_WIDTH = 'old string'.length;

function stepText({ step, at, sources, note }: EvidenceStep, style: Style): string {
  const seen = at === undefined ? '' : `${formatInstant(at)}  [${sources.join(', ')}]`;
  const said = oneLine([seen, note].filter(Boolean).join(' '));
  return hanging(`  ${step.padEnd(STEP_WIDTH)}  `, [said], style)[0];
}

function rotationText(rotation: RotationEvidence, { entryOf }: History, style: Style): string {
  const { secret, tokenId, formerId, by, why, steps } = rotation;
  const inPlace = formerId === undefined ? '' : ` in place of ${short(formerId)}`;
  const because = [by, why].filter(Boolean).join('; ');
  const head = `${entryOf(secret) ?? secret}: ${short(tokenId)}${inPlace}${because ? ` (${because})` : ''}`;
  return [
    style('bold', wrapped(oneLine(head), style, '')),
    ...steps.map((each) => stepText(each, style)),
  ].join('\n');
}

const sourceText = ({ source, isWhole, found }: Source, style: Style) => {
  const line = wrapped(oneLine(`${source}: ${found}`), style);
  return isWhole ? line : style('yellow', line);
};

export function formatHistory(history: History, style: Style): string {
  const { owner, since, sinceText, happenings, rotations, sources } = history;
  const count = `${happenings.length} ${happenings.length === 1 ? 'entry' : 'entries'}`;
  const head = `${owner}, since ${formatInstant(since)} (${sinceText}): ${count}`;
  const parts = [
    style('bold', wrapped(head, style, '')),
    ...(happenings.length > 0
      ? [happenings.map((each) => happeningText(each, history, style)).join('\n')]
      : []),
    ...(rotations?.map((each) => rotationText(each, history, style)) ?? []),
    [style('bold', 'What was read'), ...sources.map((each) => sourceText(each, style))].join('\n'),
  ];
  return parts.join('\n\n');
}

const asInstant = (at: number | undefined) => (at === undefined ? undefined : formatInstant(at));

export const historyJson = (history: History) => ({
  owner: history.owner,
  since: formatInstant(history.since),
  complete: history.sources.every(({ isWhole }) => isWhole),
  entries: history.happenings.map(
    ({ at, untilAt, gave: _, isOrLater: _or, notYetAt: _not, quietAt: _quiet, ...each }) => ({
      at: formatInstant(at),
      ...each,
      ...(each.secret !== undefined && { token: history.entryOf(secretNamed(each) ?? '') }),
      untilAt: asInstant(untilAt),
    }),
  ),
  ...(history.rotations && {
    rotations: history.rotations.map(({ steps, ...each }) => ({
      ...each,
      token: history.entryOf(each.secret),
      steps: steps.map(({ at, ...step }) => ({ ...step, at: asInstant(at) })),
    })),
  }),
  sources: history.sources,
});
