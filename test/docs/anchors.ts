import { readFileSync } from 'node:fs';

/** As GitHub makes the anchor of a heading. */
export const slug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** Where a link into a page may lead: its headings, of which one that comes again has its number behind it, and what it calls so itself. */
export function anchorsIn(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const slugs = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => slug(heading));
  const ofHeadings = slugs.map((each, index) => {
    const before = slugs.slice(0, index).filter((other) => other === each).length;
    return before === 0 ? each : `${each}-${before}`;
  });
  return [...ofHeadings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)];
}
