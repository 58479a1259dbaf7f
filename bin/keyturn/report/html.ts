import { oneLine } from '../../harmless.ts';

/** With what every page of this command begins, so that it is known again before it is overwritten. */
export const BEGINNING = '<!doctype html>\n<!-- keyturn report -->\n';

/** HTML that may be written as it is: everything in it that came from outside is escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** As one line of visible text, in an element or in a quoted attribute. */
const escaped = (text: string): string =>
  oneLine(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

type Part = Html | string | number | undefined | readonly Part[];

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(written).join('');
  return part === undefined ? '' : escaped(String(part));
}

/** A template whose values are escaped, unless they are HTML of this module. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(String.raw({ raw: strings }, ...parts.map(written)));
