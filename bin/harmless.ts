/**
 * Text that came from outside (descriptions, tags, names of databases, answers of servers) may contain what a
 * terminal obeys: it could hide, move or rewrite what a person confirms.
 */

/** Control characters, those that turn the direction of what follows or that nobody sees, and other line ends. */
const OBEYED = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;
const OBEYED_BUT_LINE_ENDS = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const ESCAPE = String.fromCharCode(27);
/** What `styleText` writes for the styles of this program. */
const OWN_STYLES = new RegExp(`(${ESCAPE}\\[(?:1|2|22|31|32|33|39)m)`);

/** As one line of visible characters, for a cell of a table or a field. */
export const oneLine = (text: string): string => text.replace(OBEYED, ' ');

const withoutControls = (text: string) => text.replace(OBEYED_BUT_LINE_ENDS, ' ');

/**
 * What a terminal does not obey, but for line ends and, where there are styles, those of this program: a colour
 * hides nothing.
 */
export const harmless = (text: string, { isStyled }: { readonly isStyled: boolean }): string =>
  isStyled
    ? text
        .split(OWN_STYLES)
        .map((part) => (OWN_STYLES.test(part) ? part : withoutControls(part)))
        .join('')
    : withoutControls(text);

const escaped = (chars: string) =>
  chars.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** JSON that says the same with escapes for what `JSON.stringify` leaves as it is. */
export const withEscapes = (json: string): string => json.replace(OBEYED_BUT_LINE_ENDS, escaped);
