import { readFileSync } from 'node:fs';

/** The version of the package that this file is in; the checkout has the last one that was released. */
export function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
