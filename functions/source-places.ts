import { SourceMap, type SourceMapPayload } from 'node:module';

/** Of a place in a bundle, what is behind its folder: `index.js:1:23456`. */
const PLACE = /^([a-z-]{1,64}\.js):(\d{1,9}):(\d{1,9})/;

/**
 * Says of a stack's places in a bundle where they are in the source. A map is read when the first error is told of: Node.js
 * itself (`--enable-source-maps`) would read it at every start, of which that took a tenth.
 * @param folder where the bundles are; other files are left as they are
 * @param readMap the source map of one of its files; undefined: it has none
 */
export function createSourcePlaces(
  folder: string,
  readMap: (file: string) => string | undefined,
): (text: string) => string {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (file: string) => {
    if (!maps.has(file)) {
      const text = readMap(file);
      maps.set(
        file,
        text === undefined ? text : new SourceMap(JSON.parse(text) as SourceMapPayload),
      );
    }
    return maps.get(file);
  };
  const prefix = `${folder}/`;
  return (text) => {
    const [first = '', ...others] = text.split(prefix);
    return others.reduce((before, part) => before + placed(part), first);
  };

  /** What stands after the folder's name. */
  function placed(part: string): string {
    const match = PLACE.exec(part);
    const [place = '', file = '', line, column] = match ?? [];
    // Both count from 1 in a stack, and from 0 in a map.
    const found = match && mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (!found || !('originalSource' in found)) return prefix + part;
    const { originalSource, originalLine, originalColumn } = found;
    return `${originalSource}:${originalLine + 1}:${originalColumn + 1}${part.slice(place.length)}`;
  }
}
