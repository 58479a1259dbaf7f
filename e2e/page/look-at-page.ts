import { pathToFileURL } from 'node:url';
import { faultsOfLooks, faultsOfStructure } from './checks.ts';
import type { Chromium, Tab } from './chromium.ts';

export type Scheme = 'light' | 'dark';

export interface Look {
  readonly scheme: Scheme;
  /** In CSS pixels. */
  readonly width: number;
}

const HEIGHT = 900;

/** A tab in which a file is open, whose every request and complaint is kept. */
async function openPage(browser: Chromium, file: string, look: Look): Promise<Tab> {
  const tab = await browser.open();
  const parts = ['Page', 'Runtime', 'Log', 'Network', 'DOM', 'Accessibility'];
  for (const part of parts) await tab.send(`${part}.enable`);
  const offline = { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 };
  await tab.send('Network.emulateNetworkConditions', offline);
  const features = [{ name: 'prefers-color-scheme', value: look.scheme }];
  await tab.send('Emulation.setEmulatedMedia', { features });
  const size = { width: look.width, height: HEIGHT, deviceScaleFactor: 1, mobile: false };
  await tab.send('Emulation.setDeviceMetricsOverride', size);
  await tab.send('Page.navigate', { url: pathToFileURL(file).href });
  await tab.next('Page.loadEventFired');
  return tab;
}

/** @throws Error with what the page threw */
async function evaluate<T>(tab: Tab, expression: string): Promise<T> {
  const { result, exceptionDetails } = await tab.send('Runtime.evaluate', {
    expression,
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
  return (result as { readonly value: T }).value;
}

/** Of a request, an entry of the log, and what was thrown or written to the console. */
const COMPLAINTS: Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => unknown>> =
  {
    'Network.requestWillBeSent': ({ request }) => request,
    'Log.entryAdded': ({ entry }) => entry,
    'Runtime.consoleAPICalled': ({ args }) => args,
    'Runtime.exceptionThrown': ({ exceptionDetails }) => exceptionDetails,
    'Network.loadingFailed': ({ errorText }) => errorText,
  };

/** What the browser saw that must not be: each request but for the file, each complaint. */
function seenBy({ events }: Tab, file: string): readonly string[] {
  const own = pathToFileURL(file).href;
  return events.flatMap(({ method, params }) => {
    const what = COMPLAINTS[method]?.(params);
    if (what === undefined) return [];
    const { url } = what as { readonly url?: string };
    if (method === 'Network.requestWillBeSent' && url === own) return [];
    return [`${method}: ${JSON.stringify(what).slice(0, 200)}`];
  });
}

/** For who listens to a page: its images by their names. */
async function imagesOf(tab: Tab): Promise<readonly string[]> {
  const { nodes } = await tab.send('Accessibility.getFullAXTree');
  type Value = { readonly value?: string };
  type Node = { readonly role?: Value; readonly name?: Value; readonly ignored: boolean };
  return (nodes as readonly Node[]).flatMap(({ role, name, ignored }) =>
    !ignored && ['image', 'img'].includes(role?.value ?? '') ? [name?.value ?? ''] : [],
  );
}

/** All that is wrong with a file as a browser shows it. */
export async function faultsOf(
  browser: Chromium,
  file: string,
  look: Look,
): Promise<readonly string[]> {
  const tab = await openPage(browser, file, look);
  const faults = await evaluate<readonly string[]>(
    tab,
    `[...(${faultsOfStructure})(), ...(${faultsOfLooks})()]`,
  );
  const images = await imagesOf(tab);
  const isHeard = images.length > 0 && images.every((name) => name.startsWith('Timeline'));
  const heard = isHeard ? [] : [`images are called ${JSON.stringify(images)}, expected Timeline`];
  const all = [...faults, ...heard, ...seenBy(tab, file)];
  return all.map((each) => `${look.scheme}, ${look.width} px: ${each}`);
}

/** The page as a person prints it. */
export async function printed(browser: Chromium, file: string): Promise<Buffer> {
  const tab = await openPage(browser, file, { scheme: 'dark', width: 1_280 });
  const { data } = await tab.send('Page.printToPDF', {
    printBackground: true,
    preferCSSPageSize: true,
  });
  return Buffer.from(String(data), 'base64');
}

/** The part of the page that has the timeline, to the end of its first drawing, as PNG. */
export async function pictured(browser: Chromium, file: string, scheme: Scheme): Promise<Buffer> {
  const width = 1_040;
  const tab = await openPage(browser, file, { scheme, width });
  const [top, bottom] = await evaluate<readonly [number, number]>(
    tab,
    "[document.querySelector('#timeline').getBoundingClientRect().top, document.querySelector('figure').getBoundingClientRect().bottom]",
  );
  const y = Math.floor(top) - 12;
  const clip = { x: 0, y, width, height: Math.ceil(bottom) + 12 - y, scale: 1 };
  const { data } = await tab.send('Page.captureScreenshot', {
    ...{ format: 'png', clip, captureBeyondViewport: true, optimizeForSpeed: false },
  });
  return Buffer.from(String(data), 'base64');
}
