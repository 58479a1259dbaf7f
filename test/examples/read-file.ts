import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

export const readExample = (path: string) => readFileSync(`examples/${path}`, 'utf8');

/** The documents of a YAML file, which must have no mistake. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
export function readYaml(path: string): any[] {
  return parseAllDocuments(readExample(path), { logLevel: 'error' }).map((document) => {
    if (document.errors.length > 0) throw new AggregateError(document.errors, path);
    return document.toJS();
  });
}

/** A duration as these programs write it, in minutes: `15m`, `5min`, `24h`, `2h15m`. */
export function minutesOf(text: string): number {
  const [, hours = '0', minutes = '0'] = /^(?:(\d+)h)?(?:(\d+)m(?:in)?)?$/.exec(text) ?? [];
  const sum = 60 * Number(hours) + Number(minutes);
  if (sum === 0) throw new Error(`found no duration in "${text}"`);
  return sum;
}
