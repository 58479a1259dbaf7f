import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Chromium, ChromiumMissing, findChromium, startChromium } from './chromium.ts';
import { faultsOf, type Look, pictured, printed, type Scheme } from './look-at-page.ts';

/**
 * Opens the page that `keyturn report` wrote of days of the sandbox in a headless Chromium, from a file and without network, and
 * looks at it as people do: light and dark, narrow and wide, on paper. With --screenshots it writes the pictures of the documents.
 */

const REPOSITORY = resolve(import.meta.dirname, '../..');
const SKIP = 'KEYTURN_WITHOUT_BROWSER';
/** So many have a rotation, a leak and what people do by hand. */
const DAYS = '8';
const MONTH = '30';
const MOST_BYTES = 150_000;
const SCHEMES: readonly Scheme[] = ['light', 'dark'];
const WIDTHS = [360, 1_280];
const LOOKS: readonly Look[] = SCHEMES.flatMap((scheme) =>
  WIDTHS.map((width) => ({ scheme, width })),
);

/** What must be found in a page that was spoilt: without that, nothing shows that the checks look at it. */
const SPOILT: readonly (readonly [what: string, spoil: (page: string) => string, found: RegExp])[] =
  [
    ['no language', (page) => page.replace('<html lang="en">', '<html>'), /no language/],
    ['a second h1', (page) => page.replace('<h2', '<h1>x</h1><h2'), /2 headings of the first/],
    [
      'a table without caption',
      (page) => page.replace(/<caption>.*?<\/caption>/, ''),
      /no caption/,
    ],
    [
      'a drawing without name',
      (page) => page.replace('role="img"', ''),
      /neither hidden nor named/,
    ],
    [
      'grey text',
      (page) => page.replaceAll('--ink: #', '--ink: #8c959f; --x: #'),
      /has a contrast/,
    ],
    [
      'a wide line',
      (page) => page.replace('<main>', '<main><pre style="width:2000px">x</pre>'),
      /and the window/,
    ],
    [
      'a pattern that is not there',
      (page) => page.replace('<pattern id="superseded"', '<pattern id="x"'),
      /which is not there/,
    ],
    [
      'a picture of a server',
      (page) => page.replace('<main>', '<main><img alt="" src="http://192.0.2.1/x.png">'),
      /192\.0\.2\.1|Content Security/,
    ],
    [
      'a script',
      (page) => page.replace('<main>', '<main><script>console.log(1)</script>'),
      /Content Security Policy/,
    ],
  ];

const print = (text: string) => process.stdout.write(`${text}\n`);

function makePage(file: string, days: string): void {
  const words = [
    '--import',
    './bin/node-24.js',
    'sandbox/start.ts',
    '--days',
    days,
    '--page',
    file,
  ];
  const { status, stderr, stdout } = spawnSync(process.execPath, words, {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm start ended with ${status}:\n${stdout}${stderr}`);
}

async function check(browser: Chromium, file: string, folder: string): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const look of LOOKS) faults.push(...(await faultsOf(browser, file, look)));
  print(
    `ok    opened without network, ${LOOKS.map((each) => `${each.scheme} at ${each.width} px`).join(', ')}`,
  );
  const pdf = await printed(browser, file);
  const pages = pdf.toString('latin1').match(/\/Type *\/Page\b/g)?.length ?? 0;
  if (pages < 2 || pages > 20) faults.push(`printed on ${pages} pages, expected 2 to 20`);
  print(`ok    printed on ${pages} pages`);
  const text = readFileSync(file, 'utf8');
  for (const [what, spoil, found] of SPOILT) {
    const spoilt = join(folder, 'spoilt.html');
    writeFileSync(spoilt, spoil(text));
    const seen = await faultsOf(browser, spoilt, { scheme: 'light', width: 1_280 });
    if (!seen.some((each) => found.test(each))) faults.push(`${what} was not found: ${seen}`);
  }
  print(`ok    looked at ${SPOILT.length} spoilt pages`);
  return faults;
}

async function picture(browser: Chromium, file: string): Promise<void> {
  for (const scheme of SCHEMES) {
    const png = await pictured(browser, file, scheme);
    const name = `docs/timeline-${scheme}.png`;
    if (png.length > MOST_BYTES) throw new Error(`${name} has ${png.length} bytes, expected fewer`);
    writeFileSync(join(REPOSITORY, name), png);
    print(`wrote ${name} (${Math.round(png.length / 1_000)} KB)`);
  }
}

async function main(): Promise<void> {
  const options = { screenshots: { type: 'boolean' }, page: { type: 'string' } } as const;
  const { screenshots = false, page } = parseArgs({ options }).values;
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-page-'));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const command = findChromium();
  const file = page === undefined ? join(folder, 'page.html') : resolve(page);
  if (page === undefined) makePage(file, screenshots ? MONTH : DAYS);
  const browser = startChromium(command);
  cleanup.defer(() => browser.close());
  const faults = await check(browser, file, folder);
  if (screenshots) await picture(browser, file);
  for (const each of faults) print(`fault ${each}`);
  if (faults.length > 0) process.exitCode = 1;
  print(
    `${faults.length === 0 ? 'the page is well' : 'the page is NOT well'} (${Math.round(performance.now() / 1_000)} s)`,
  );
}

if (process.env[SKIP])
  print(`not run, because ${SKIP} is set: nobody looked at the page in a browser`);
else {
  try {
    await main();
  } catch (error) {
    const how = error instanceof ChromiumMissing ? `; or set ${SKIP}=1 to go on without` : '';
    process.stderr.write(`${error instanceof Error ? error.message : error}${how}\n`);
    process.exitCode = 1;
  }
}
