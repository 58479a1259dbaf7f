/** Colours after Okabe and Ito, which colour-blind people tell apart; every state has a pattern, too. */
const LIGHT = `
  --paper: #ffffff; --ink: #1b1f24; --faint: #57606a; --line: #d0d7de; --soft: #f3f5f7;
  --well: #0a6640; --bad: #b42318; --doubt: #7a4f00;
  --current: #0072b2; --pending: #57606a; --superseded: #b86e00; --quarantined: #9c3f78;
  --frozen: #00695c; --expired: #6b7280; --unknown: #8c959f; --mark: #1b1f24;`;
const DARK = `
  --paper: #12161b; --ink: #e6edf3; --faint: #9da7b3; --line: #39424d; --soft: #1c2229;
  --well: #57d9a3; --bad: #ff9b8f; --doubt: #f2c063;
  --current: #56b4e9; --pending: #9da7b3; --superseded: #e69f00; --quarantined: #e08fc0;
  --frozen: #4fc9b0; --expired: #9aa4b0; --unknown: #7d8894; --mark: #e6edf3;`;

/** By the class of a bar: its colour, and how much of it on paper, where a pattern would be drawn as thousands of lines. */
const BARS = {
  inert: { fill: 'paper', stroke: 'pending' },
  pending: { fill: 'pending', onPaper: 0.6 },
  live: { fill: 'soft', stroke: 'current' },
  current: { fill: 'current' },
  superseded: { fill: 'superseded', onPaper: 0.45 },
  quarantined: { fill: 'quarantined', onPaper: 0.3 },
  frozen: { fill: 'frozen', onPaper: 0.7 },
  expired: { fill: 'expired', onPaper: 0.15 },
  unknown: { fill: 'paper', stroke: 'unknown' },
} as const satisfies Record<string, { fill: string; stroke?: string; onPaper?: number }>;

const rule = (state: string, said: string) => `.bar.${state}, .bar.${state} rect { ${said} }`;
const ruleOf = (of: (state: string, bar: (typeof BARS)[keyof typeof BARS]) => readonly string[]) =>
  Object.entries(BARS)
    .flatMap(([state, bar]) => of(state, bar))
    .join('\n');

const fills = ruleOf((state, bar) => {
  const stroke = 'stroke' in bar ? bar.stroke : bar.fill;
  return [rule(state, `fill: var(--${bar.fill}); stroke: var(--${stroke});`)];
});
const patterns = ruleOf((state, bar) =>
  'onPaper' in bar ? [rule(state, `fill: url(#${state});`)] : [],
);
const tints = ruleOf((state, bar) =>
  'onPaper' in bar ? [rule(state, `fill-opacity: ${bar.onPaper};`)] : [],
);

/** All of the page's style; nothing is loaded. */
export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .4rem 0; }
.faint, caption { color: var(--faint); }
.verdict { border-left: .4rem solid; background: var(--soft); padding: .6rem .8rem; margin: 1rem 0; font-weight: 600; }
.well { color: var(--well); } .not-well { color: var(--bad); } .unknown { color: var(--doubt); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; }
code, .id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .92em; }
.scroll { overflow-x: auto; margin: .5rem 0; }
.scroll:focus-visible { outline: 3px solid var(--current); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th { white-space: nowrap; } thead th { border-bottom: 2px solid var(--line); }
td.wide { min-width: 16rem; overflow-wrap: anywhere; }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums; }
figure { margin: .8rem 0; }
.scroll > svg { min-width: 60rem; width: 100%; height: auto; display: block; background: var(--paper); color: var(--ink); }
.defs { position: absolute; width: 0; height: 0; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.4rem; list-style: none; padding: 0; margin: .5rem 0; font-size: .9rem; }
.legend svg { width: 2.4rem; height: .9rem; vertical-align: -.1rem; margin-right: .45rem; color: var(--ink); }
.grid { stroke: var(--line); } .divider { stroke: var(--line); }
.heading text, g.heading { font-weight: 700; } .token, .axis { fill: var(--faint); }
.bar { stroke-width: 1; }
${fills}
@media screen {
${patterns}
}
.bar.unknown, .bar.unknown rect, .bar.inert, .bar.inert rect { stroke-dasharray: 3 2; }
.now { stroke: var(--bad); stroke-width: 1.5; } text.now, .now text, g.now[text-anchor] { fill: var(--bad); stroke: none; font-weight: 700; }
.mark, .mark path { fill: var(--mark); stroke: var(--paper); stroke-width: .8; }
.mark.incident, .mark.incident path { fill: var(--bad); }
.mark.revocation, .mark.revocation path { stroke: var(--bad); stroke-width: 2.4; fill: none; }
.mark.change, .mark.change path { fill: var(--paper); stroke: var(--mark); stroke-width: 1.4; }
.under { fill: var(--paper); }
${['pending', 'superseded', 'quarantined', 'frozen', 'expired'].map((each) => `.over-${each} { fill: none; stroke: var(--${each}); }`).join('\n')}
@media print {
  :root { color-scheme: light; ${LIGHT} }
  body { max-width: none; padding: 0; font-size: 11px; }
  .scroll { overflow: visible; } .scroll > svg { min-width: 0; }
  figure, tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
${tints}
  .bar, .bar rect, .mark, .legend svg, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  @page { size: A4 landscape; margin: 12mm; }
}
`;

/** The patterns that the style names, for the whole page. */
export const PATTERNS = `<svg class="defs" aria-hidden="true" focusable="false"><defs>
${pattern('pending', '<circle cx="3" cy="3" r="1.1" stroke-width="1" />')}
${pattern('superseded', '<path d="M-1,7L7,-1M-1,1L1,-1M5,7L7,5" stroke-width="2" />')}
${pattern('quarantined', '<path d="M0,0L6,6M6,0L0,6" stroke-width="1.2" />')}
${pattern('frozen', '<path d="M3,0V6" stroke-width="2.2" />')}
${pattern('expired', '<path d="M0,3H6" stroke-width="1.6" />')}
</defs></svg>`;

function pattern(state: string, lines: string): string {
  const over = lines.replace('<', `<g class="over-${state}"><`).replace(/>$/, '></g>');
  return `<pattern id="${state}" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="under" />${over}</pattern>`;
}
