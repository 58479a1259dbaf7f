/**
 * Control characters and line ends; what nobody sees; what turns the direction of the text after it, so that a
 * person reads another one; and halves of characters, which no server can be sent.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The same text with `\u{202e}` where it has a character that a terminal obeys or nobody sees. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** `U+200D, U+202E` */
export const unseenIn = (text: string): string =>
  [...new Set(text.match(UNSEEN))]
    .map((each) => `U+${each.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`)
    .join(', ');
