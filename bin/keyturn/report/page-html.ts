import { redacted } from '../../../functions/redacted.ts';
import type { StatusVerdict } from '../status-verdict.ts';
import { BEGINNING, Html, html } from './html.ts';
import type { Page, Risk, TokenRow } from './page.ts';
import { PATTERNS, STYLE } from './style.ts';
import { minuteOf, table, timelineHtml } from './timeline.ts';

/** Nothing is loaded, nothing runs, nothing is sent: the style of the page alone counts. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const classOf = (verdict: StatusVerdict) => verdict.replace(' ', '-');

/** In words and in colour. */
const verdictCell = (verdict: StatusVerdict): Html =>
  html`<td class="${classOf(verdict)}"><strong>${verdict}</strong></td>`;

const NONE = '–';

function headHtml(page: Page): Html {
  const rows = [
    ['Made', `${minuteOf(page.now)} UTC, by keyturn ${page.version}`],
    ['Deployment', page.owner],
    ['Cluster', page.cluster],
    ['AWS', page.account],
    ['Policy file', page.policyFile],
    ['Asked', page.place],
    ['History', `since ${minuteOf(page.since)} UTC (${page.sinceText})`],
  ] as const;
  const whole = page.isWhole ? '' : ' Not all of the history could be read: see Risks.';
  return html`<header>
<h1>Keyturn: ${page.owner}</h1>
<p class="verdict ${classOf(page.verdict)}">${page.sentence}${whole}</p>
<dl>${rows.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>
</header>`;
}

const tokenHtml = (each: TokenRow): Html =>
  html`<tr>${verdictCell(each.verdict)}<th scope="row">${each.name}</th><td>${each.state}</td><td>${each.string}</td>
<td class="id">${each.tokenId.slice(0, 8) || NONE}</td><td>${each.nextRotation || NONE}</td><td>${each.expires || NONE}</td></tr>
`;

const riskHtml = ({ verdict, about, text, command }: Risk): Html =>
  html`<tr>${verdictCell(verdict)}<th scope="row">${about}</th><td class="wide">${text}${command === undefined ? '' : html`<div><code>${command}</code></div>`}</td></tr>
`;

function risksHtml({ risks, inventory }: Page): Html {
  const found =
    risks.length > 0
      ? table(
          'What somebody should know, the worst first',
          ['Verdict', 'About', 'What'],
          risks.map(riskHtml),
        )
      : html`<p>Everything was looked at, and no risk was found.</p>`;
  const counts =
    inventory.length > 0
      ? html`<p class="faint">Good to know:</p><ul>${inventory.map((each) => html`<li>${each}</li>`)}</ul>`
      : '';
  return html`${found}
${counts}`;
}

function databasesHtml(page: Page): Html {
  const { databases, schedules, managementToken, isEnforceSeen } = page;
  const rows = databases.map(
    ({ verdict, database, state, problems }) =>
      html`<tr>${verdictCell(verdict)}<th scope="row">${database}</th><td>${state}</td><td class="wide">${problems.join('; ') || NONE}</td></tr>
`,
  );
  const named =
    rows.length > 0
      ? table(
          'Databases that rules name, and others that differ',
          ['Verdict', 'Database', 'State', 'What differs'],
          rows,
        )
      : isEnforceSeen
        ? html`<p>No rule names a database, and none is to be corrected.</p>`
        : html`<p class="unknown">No rule names a database, and it is not known whether others keep to the rules: enforce was not seen to look at them by this policy file.</p>`;
  const rest = [
    ...schedules.map(({ verdict, text }) => ({ verdict, name: 'schedule', text })),
    { verdict: managementToken.verdict, name: 'management token', text: managementToken.text },
  ].map(
    ({ verdict, name, text }) =>
      html`<tr>${verdictCell(verdict)}<th scope="row">${name}</th><td>${text}</td></tr>
`,
  );
  return html`${named}
${table('Schedules and the management token', ['Verdict', 'What', 'State'], rest)}`;
}

const databaseName = (name: string) => (name === '*' ? 'every database' : name);
const listed = (names: readonly string[]) => names.map(databaseName).join(', ') || NONE;

function readersHtml({ entries, access }: Page): Html {
  const rows = entries.map(
    ({ name, description, secret, reads, writes }) =>
      html`<tr><th scope="row">${name}</th><td class="wide">${description || NONE}</td><td>${secret}</td><td>${listed(reads)}</td><td>${listed(writes)}</td></tr>
`,
  );
  const databases = access.map(
    ({ database, readers, writers }) =>
      html`<tr><th scope="row">${databaseName(database)}</th><td>${listed(readers)}</td><td>${listed(writers)}</td></tr>
`,
  );
  return html`<p>The policy says what each entry may do, and from which secret its consumers read the token. Which programs read a secret, Keyturn does not see:
CloudTrail records each <code>GetSecretValue</code>. Tokens that are not Keyturn’s are counted under Risks, if there are any.</p>
${table('What each entry may do', ['Entry', 'For whom, as the policy says', 'Secret', 'Reads', 'Writes'], rows)}
${table('Which entries may use a database', ['Database', 'Read by', 'Written by'], databases)}`;
}

const sourcesHtml = ({ sources }: Page): Html =>
  table(
    'What was read for the timeline',
    ['Source', 'Whole', 'What was found'],
    sources.map(
      ({ source, isWhole, found }) =>
        html`<tr><th scope="row">${source}</th><td class="${isWhole ? 'well' : 'unknown'}">${isWhole ? 'yes' : 'no'}</td><td class="wide">${found}</td></tr>
`,
    ),
  );

/**
 * The whole file: it needs no network and runs no script.
 * @param clean takes the credentials out of a text: nobody knows what an error, a reason or a name may quote
 */
export function pageHtml(found: Page, clean: (text: string) => string): string {
  const page = redacted(found, clean);
  const { text } = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Keyturn: ${page.owner}, ${minuteOf(page.now)}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${new Html(PATTERNS)}
${headHtml(page)}
<main>
<section aria-labelledby="tokens"><h2 id="tokens">Tokens now</h2>
${table('What consumers have, and whether the cluster accepts it', ['Verdict', 'Entry', 'State', 'String', 'Token', 'Next rotation', 'Expires'], page.tokens.map(tokenHtml))}</section>
<section aria-labelledby="risks"><h2 id="risks">Risks</h2>
${risksHtml(page)}</section>
<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
${timelineHtml(page)}</section>
<section aria-labelledby="databases"><h2 id="databases">Databases and drift</h2>
${databasesHtml(page)}</section>
<section aria-labelledby="readers"><h2 id="readers">Who reads what</h2>
${readersHtml(page)}</section>
<section aria-labelledby="sources"><h2 id="sources">What this page knows</h2>
<p>What could not be looked at is unknown on this page, and never well. Times are UTC. The words are explained in Keyturn’s glossary.</p>
${sourcesHtml(page)}</section>
</main>
</body>
</html>
`;
  return `${BEGINNING}${text}`;
}
