import { formatInstant } from '../../../functions/time.ts';
import { oneLine } from '../../harmless.ts';
import { timesText } from '../history/happening.ts';
import { type Bar, drawTimeline, type Lane, type Point } from './drawing/plotting.ts';
import { Html, html } from './html.ts';
import type { Life, Span, TokenState } from './life.ts';
import type { Mark, MarkKind } from './marks.ts';
import type { Group, Page } from './page.ts';

/** In the words of docs/glossary.md. */
const STATES: Readonly<Record<TokenState, string>> = {
  inert: 'inert: minted, and can do nothing',
  pending: 'pending: stored, and not promoted yet',
  live: 'live: works, not taken over yet',
  current: 'current: what consumers read',
  superseded: 'superseded: replaced, and still works',
  quarantined: 'quarantined: without permissions, before its deletion',
  frozen: 'frozen: without permissions, by an order',
  expired: 'expired',
  unknown: 'unknown: nothing tells what it is',
};

const KINDS: Readonly<Record<MarkKind, string>> = {
  rotation: 'rotation',
  revocation: 'revocation',
  incident: 'incident',
  change: 'other change',
};

/** As the plot draws them. */
const FORMS: Readonly<Record<MarkKind, string>> = {
  rotation: 'M0,-5L5,4H-5Z',
  revocation: 'M-4,-4L4,4M4,-4L-4,4',
  incident: 'M0,-5L5,0L0,5L-5,0Z',
  change: 'M-4,-4H4V4H-4Z',
};

/** So many lines stand on one page of paper. */
const LANES_OF_A_FIGURE = 28;
/** Of the time that is shown: so that what is now does not end at the edge. */
const ROOM = 0.03;
const LONGEST_LABEL = 26;

const short = (id: string) => id.slice(0, 8);

const cut = (label: string): string =>
  label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;

/** `2026-01-31 06:00`, UTC */
export const minuteOf = (at: number): string => formatInstant(at).slice(0, 16).replace('T', ' ');

/** One more line under the heading of a group. */
const laneOf = (index: number, { tokenId }: Life) => `${index} ${tokenId}`;

const linesOf = (group: Group, index: number): readonly Lane[] => [
  { key: `${index}`, label: cut(oneLine(group.name)), isHeading: true },
  ...group.lives.map((life) => ({
    key: laneOf(index, life),
    label: oneLine(short(life.tokenId)),
    isHeading: false,
  })),
];

/** Groups with their places, so many in one figure as fit; one that is longer has a figure of its own. */
function figuresOf(groups: readonly Group[]): readonly (readonly (readonly [number, Group])[])[] {
  const figures: (readonly [number, Group])[][] = [];
  let lanes = Number.POSITIVE_INFINITY;
  for (const [index, group] of groups.entries()) {
    const more = group.lives.length + 1;
    if (lanes + more > LANES_OF_A_FIGURE) {
      figures.push([]);
      lanes = 0;
    }
    lanes += more;
    figures.at(-1)?.push([index, group]);
  }
  return figures;
}

function barsOf(index: number, group: Group, { since, now }: Page): readonly Bar[] {
  return group.lives.flatMap((life) =>
    life.spans.flatMap(({ state, from, until = now }): readonly Bar[] =>
      until < since
        ? []
        : [
            {
              lane: laneOf(index, life),
              from: Math.max(from, since),
              until,
              kind: state,
              title: oneLine(
                `${short(life.tokenId)} of ${group.name}: ${state}, ${minuteOf(from)} to ${until === now ? 'now' : minuteOf(until)}`,
              ),
            },
          ],
    ),
  );
}

/** What is about a token stands in its line, and all else beside the name. */
function pointsOf(index: number, { lives, marks }: Group, { since }: Page): readonly Point[] {
  return marks.map((mark) => {
    const life = lives.find(({ tokenId }) => tokenId === mark.tokenId);
    return {
      lane: life ? laneOf(index, life) : `${index}`,
      at: Math.max(mark.at, since),
      kind: mark.kind,
      title: oneLine(`${minuteOf(mark.at)} ${saidOf(mark)}`),
    };
  });
}

/** `promoted in place of 67cd832e (3 times, until …)` */
function whatOf(mark: Mark): string {
  const { what, formerId } = mark;
  const inPlace = what === 'promoted' && formerId ? ` in place of ${short(formerId)}` : '';
  return `${what}${inPlace}${timesText(mark, minuteOf)}`;
}

function saidOf(mark: Mark): string {
  const { about, tokenId, by, why } = mark;
  const whose = [about, tokenId && short(tokenId)].filter(Boolean).join(' ');
  return [`${whose}: ${whatOf(mark)}`, by, why].filter(Boolean).join('; ');
}

function figure(page: Page, groups: readonly (readonly [number, Group])[], title: string): Html {
  const { since, now } = page;
  const names = groups.map(([, { name }]) => oneLine(name)).join(', ');
  const drawn = drawTimeline({
    label: `${title}, ${minuteOf(since)} to ${minuteOf(now)} UTC: ${names}`,
    description: 'Every bar and mark stands in the tables below it.',
    from: since,
    until: now + (now - since) * ROOM,
    now,
    lanes: groups.flatMap(([index, group]) => linesOf(group, index)),
    bars: groups.flatMap(([index, group]) => barsOf(index, group, page)),
    points: groups.flatMap(([index, group]) => pointsOf(index, group, page)),
  });
  return html`<figure><div class="scroll" tabindex="0" role="group" aria-label="${title}">${new Html(drawn)}</div></figure>`;
}

function legend({ groups, marks }: Page): Html {
  const states = new Set(
    groups.flatMap(({ lives }) => lives.flatMap(({ spans }) => spans.map(({ state }) => state))),
  );
  const kinds = new Set(marks.map(({ kind }) => kind));
  const ofStates = Object.entries(STATES).flatMap(([state, words]) =>
    states.has(state as TokenState)
      ? html`<li><svg aria-hidden="true" viewBox="0 0 40 14"><rect class="bar ${state}" x="1" y="1" width="38" height="12" /></svg>${words}</li>`
      : [],
  );
  const ofKinds = Object.entries(KINDS).flatMap(([kind, words]) =>
    kinds.has(kind as MarkKind)
      ? html`<li><svg aria-hidden="true" viewBox="-20 -7 40 14"><path class="mark ${kind}" d="${FORMS[kind as MarkKind]}" /></svg>${words}</li>`
      : [],
  );
  const ofNow = html`<li><svg aria-hidden="true" viewBox="-20 -7 40 14"><path class="now" d="M0,-7V7" stroke-dasharray="4 3" /></svg>now</li>`;
  return html`<ul class="legend">${ofStates}${ofKinds}${ofNow}</ul>`;
}

const spanText = ({ state, from }: Span) => html`<div>${minuteOf(from)} ${state}</div>`;

const NOT_TOLD = 'not told';

const lifeRow = (name: string, { tokenId, mintedAt, endedAt, spans, notes }: Life): Html => {
  const minted = mintedAt === undefined ? NOT_TOLD : minuteOf(mintedAt);
  const isOpen = spans.some(({ until }) => until === undefined);
  const ended = endedAt === undefined ? (isOpen ? '–' : NOT_TOLD) : minuteOf(endedAt);
  return html`<tr><th scope="row">${name}</th><td class="id">${short(tokenId)}</td><td class="when">${minted}</td>
<td class="when">${spans.map(spanText)}</td><td class="when">${ended}</td><td class="wide">${notes.join('; ')}</td></tr>
`;
};

const markRow = (mark: Mark): Html => {
  const { at, kind, about, tokenId = '', by, why, sources } = mark;
  return html`<tr><td class="when">${minuteOf(at)}</td><td>${KINDS[kind]}</td><th scope="row">${about}</th><td class="id">${short(tokenId)}</td>
<td class="wide">${whatOf(mark)}</td><td class="wide">${[by, why].filter(Boolean).join('; ') || NOT_TOLD}</td><td>${sources.join(', ')}</td></tr>
`;
};

/** A table that scrolls by itself where it has no room. */
export const table = (caption: string, headings: readonly string[], rows: readonly Html[]): Html =>
  rows.length === 0
    ? html`<p class="faint">${caption}: none.</p>`
    : html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${headings.map((each) => html`<th scope="col">${each}</th>`)}</tr></thead>
<tbody>
${rows}</tbody></table></div>`;

/** Every token's bars, what happened, and the same as tables. */
export function timelineHtml(page: Page): Html {
  const { groups, marks } = page;
  if (groups.every(({ lives, marks: own }) => lives.length + own.length === 0)) {
    return html`<p>Nothing is told of this time.</p>`;
  }
  const figures = figuresOf(groups);
  const titles = figures.map((_, index) =>
    figures.length === 1 ? 'Timeline' : `Timeline, part ${index + 1} of ${figures.length}`,
  );
  const lives = groups.flatMap(({ name, lives: own }) => own.map((each) => lifeRow(name, each)));
  return html`${legend(page)}
${figures.map((each, index) => figure(page, each, titles[index] ?? ''))}
<h3>Every token</h3>
${table('Each bar of the timeline (UTC)', ['Entry', 'Token', 'Minted', 'State since', 'Ended', 'Note'], lives)}
<h3>What happened</h3>
${table('Each mark of the timeline (UTC)', ['When', 'Kind', 'About', 'Token', 'What', 'By whom, why', 'Told by'], marks.map(markRow))}`;
}
