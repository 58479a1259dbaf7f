import { START } from './credential-starts.ts';

/** The end of a line, as it stands in a text or as others write it. */
export const EOL = '(?:\\\\?\\r?\\n|\\\\?\\r|\\\\{1,4}[rn]|%0[AaDd]|&#1[03];|<br ?\\/?>)';
/** Between two characters of a beginning, or of what is percent-encoded, that somebody wrapped inside. */
const BREAK = `(?:=?${EOL}[ \\t>]{0,80})`;
const BREAKS = new RegExp(BREAK, 'g');
/** What every `EOL` has a part of: most texts are one line, and to compile the next expression takes longer than all else at a cold start. */
const SOME_EOL = /[\r\n]|\\[rn]|%0[AaDd]|&#1[03];|<br/;
const BROKEN = new RegExp(
  [...START.source.split('|'), '%[2-7][0-9A-Fa-f]']
    .map((each) => each.match(/\[.+?\]|\\d\{.+?\}|\\?./g)?.join(`${BREAK}?`))
    .join('|'),
  'g',
);

/**
 * One layer of percent-encoding, of the escapes of JSON, a shell, Markdown or a mail, or of HTML's entities, of visible characters: a
 * line of the text stays a line.
 */
const ENCODED =
  /%([2-7][0-9A-Fa-f])|\\{1,4}(?:u00|x|u\{0{0,4}|U0{6})([2-7][0-9A-Fa-f])\}?|=(2B|2D|2F|3D|5F)|\\{1,4}([/_+=-])|&#0{0,6}(\d{2,3});?|&#[xX]0{0,6}([2-7][0-9A-Fa-f]);?|&(amp|dash|equals|hyphen|lowbar|percnt|period|plus|sol);/g;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  dash: '-',
  equals: '=',
  hyphen: '-',
  lowbar: '_',
  percnt: '%',
  period: '.',
  plus: '+',
  sol: '/',
};
/** Eight bytes or more, by themselves or in groups: as programs print a list of them, dumps print memory, and a mail writes them all. */
const DECIMAL_BYTES =
  /\d{2,3}(?:,[ \t\r\n]{0,40}\d{2,3}){7,}|(?<=\[)\d{2,3}(?: \d{2,3}){7,}(?=\])/g;
const HEXADECIMAL_BYTES =
  /[2-7][0-9A-Fa-f](?:(?:[:= ]|,? ?0x)[2-7][0-9A-Fa-f](?![0-9A-Za-z])){7,}|(?<![0-9A-Za-z])(?:[2-7][0-9A-Fa-f]){2,8}(?: (?:[2-7][0-9A-Fa-f]){2,8}(?![0-9A-Za-z])){2,}(?: [2-7][0-9A-Fa-f](?![0-9A-Za-z]))?/g;
const LAYERS = 4;

const ESCAPE = String.fromCharCode(27);
const COLOURS = new RegExp(`${ESCAPE}\\[[0-?]{0,20}[ -/]{0,4}[@-~]`, 'g');
/** A BOM, soft hyphens, and other characters that nobody sees. */
const INVISIBLE = /\p{Cf}/gu;
/** Spaces of other widths, such as those that do not break a line. */
const SPACES = /\p{Zs}/gu;

const visible = (code: number, otherwise: string) =>
  code > 0x20 && code < 0x7f ? String.fromCharCode(code) : otherwise;

/** Line ends stand before a beginning, or before what is percent-encoded, not inside: nobody would find it. */
const mended = (text: string): string =>
  SOME_EOL.test(text)
    ? text.replace(BROKEN, (all) => (all.match(BREAKS) ?? []).join('') + all.replace(BREAKS, ''))
    : text;

const fromBytes = (list: string, radix: 10 | 16): string =>
  (list.match(radix === 10 ? /\d{2,3}/g : /[2-7][0-9A-Fa-f]/g) ?? [])
    .map((byte) => visible(Number.parseInt(byte, radix), ' '))
    .join('');

/** The text without one layer of encoding. */
const decodedOnce = (text: string): string =>
  mended(text)
    .replace(DECIMAL_BYTES, (list) => fromBytes(list, 10))
    .replace(HEXADECIMAL_BYTES, (list) => fromBytes(list, 16))
    .replace(ENCODED, (all, percent, escaped, quoted, sign, decimal, hexadecimal, entity) => {
      const hex = percent ?? escaped ?? quoted ?? hexadecimal;
      if (hex !== undefined) return visible(Number.parseInt(hex, 16), all === '%20' ? ' ' : all);
      if (decimal !== undefined) return visible(Number(decimal), all);
      return sign ?? ENTITIES[entity] ?? all;
    });

/** The text as its author saw it: without what encodes, hides or colours its characters. */
export function plainText(text: string): string {
  // A file in UTF-16 that is read as UTF-8 has a NUL beside every character.
  let plain = text
    .replaceAll('\0', '')
    .replace(INVISIBLE, '')
    .replace(COLOURS, '')
    .replace(SPACES, ' ');
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const decoded = decodedOnce(plain);
    if (decoded === plain) break;
    plain = decoded;
  }
  return plain;
}
