import { axisX, axisY, barX, dot, gridX, plot, ruleX, ruleY, text } from '@observablehq/plot';
import { DOMImplementation, XMLSerializer } from '@xmldom/xmldom';

/**
 * Draws with Observable Plot, outside a browser. `package/build.ts` puts this file and all that it imports into one file of the package,
 * so it imports nothing else of the repository.
 */

/** A line of the figure. */
export interface Lane {
  /** Its place; no two lanes have the same. */
  readonly key: string;
  readonly label: string;
  /** The name of what follows, without bars. */
  readonly isHeading: boolean;
}

/** Instants are milliseconds since 1970. */
export interface Bar {
  readonly lane: string;
  readonly from: number;
  readonly until: number;
  /** Class of what is drawn: the page says its colour and pattern. */
  readonly kind: string;
  readonly title: string;
}

export interface Point {
  readonly lane: string;
  readonly at: number;
  readonly kind: string;
  readonly title: string;
}

export interface Chart {
  /** For who cannot see it. */
  readonly label: string;
  readonly description: string;
  readonly from: number;
  readonly until: number;
  readonly now: number;
  readonly lanes: readonly Lane[];
  readonly bars: readonly Bar[];
  readonly points: readonly Point[];
}

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 1_040;
const LANE_HEIGHT = 20;
/** Of a character of the labels. */
const CHARACTER = 6.6;
const MARGIN = { top: 34, right: 14, bottom: 8, left: 12 };

/** Told apart by their form as well. */
const SYMBOLS = {
  rotation: 'triangle',
  revocation: 'times',
  incident: 'diamond2',
  change: 'square2',
} as const;
const symbolOf = (kind: string) => Object.entries(SYMBOLS).find(([known]) => known === kind)?.[1];

const kindsIn = (those: readonly { readonly kind: string }[]) => [
  ...new Set(those.map(({ kind }) => kind)),
];

function marksOf({ lanes, bars, points, now }: Chart) {
  const headings = lanes.filter(({ isHeading }) => isHeading);
  const keys = (those: readonly Lane[]) => those.map(({ key }) => key);
  const labels = { tickSize: 0, tickFormat: labelsOf(lanes), label: null, fontSize: 11 };
  return [
    gridX({ className: 'grid', ticks: 8, strokeOpacity: 1 }),
    axisX({ anchor: 'top', ticks: 8, label: null, className: 'axis', fontSize: 11 }),
    ruleY(keys(headings), { className: 'divider', insetLeft: -1_000, dy: -LANE_HEIGHT / 2 }),
    axisY(keys(headings), { ...labels, className: 'heading' }),
    axisY(keys(lanes.filter(({ isHeading }) => !isHeading)), { ...labels, className: 'token' }),
    ...kindsIn(bars).map((kind) =>
      barX(
        bars.filter((each) => each.kind === kind),
        {
          ...{ x1: 'from', x2: 'until', y: 'lane', title: 'title' },
          ...{ className: `bar ${kind}`, inset: 0.5, insetTop: 3, insetBottom: 3 },
        },
      ),
    ),
    ruleX([now], { className: 'now', strokeDasharray: '4 3' }),
    text([now], {
      ...{ x: (at: number) => at, text: () => 'now', frameAnchor: 'top', dy: -26 },
      ...{ className: 'now', fontSize: 11 },
    }),
    ...kindsIn(points).map((kind) =>
      dot(
        points.filter((each) => each.kind === kind),
        {
          ...{ x: 'at', y: 'lane', title: 'title', symbol: symbolOf(kind) ?? 'circle', r: 4.5 },
          className: `mark ${kind}`,
        },
      ),
    ),
  ];
}

function labelsOf(lanes: readonly Lane[]): (key: string) => string {
  const labels = new Map(lanes.map(({ key, label }) => [key, label]));
  return (key) => labels.get(key) ?? key;
}

/** One SVG element, in whose texts everything is escaped. */
export function drawTimeline(chart: Chart): string {
  const { lanes, from, until, label, description } = chart;
  const document = new DOMImplementation().createDocument(SVG, 'svg');
  const longest = Math.max(...lanes.map((each) => each.label.length));
  const drawn = plot({
    document,
    ariaLabel: label,
    ariaDescription: description,
    className: 'timeline',
    width: WIDTH,
    height: MARGIN.top + lanes.length * LANE_HEIGHT + MARGIN.bottom,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left + Math.ceil(longest * CHARACTER),
    x: { type: 'utc', domain: [from, until] },
    y: { type: 'band', domain: lanes.map(({ key }) => key), padding: 0 },
    marks: marksOf(chart),
  });
  drawn.setAttribute('role', 'img');
  type Drawn = Parameters<XMLSerializer['serializeToString']>[0];
  return new XMLSerializer().serializeToString(drawn as unknown as Drawn);
}
