import { visible } from '../../../functions/visible.ts';

/** What YAML 1.1, as some editors read it, or 1.2 takes for something else than a text. */
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*$|^https?:\/\/[A-Za-z0-9_./:-]*[A-Za-z0-9/]$/;

/** A text as one line of YAML, as key, value or item of a list: in quotes unless nobody could take it for anything else. */
export const scalar = (text: string): string =>
  PLAIN.test(text) && !WORDS.test(text) ? text : JSON.stringify(visible(text));

/** Texts from outside may have line ends, behind which they would be no comment any more. */
export const comment = (text: string, indent = ''): string =>
  `${indent}# ${visible(text)}`.trimEnd();

/** Lines of a mapping, each as a comment: without its "# " the mapping is as it was. */
export const commentedOut = (lines: readonly string[], indent: string): string[] =>
  lines.map((line) => `${indent}# ${line.slice(indent.length)}`);

const LONGEST = 110;

/** `key: [a, b]`, or an item on each line where that would be long. */
export function list(key: string, items: readonly string[], indent: string): string[] {
  const one = `${indent}${key}: [${items.map(scalar).join(', ')}]`;
  if (one.length <= LONGEST) return [one];
  return [`${indent}${key}:`, ...items.map((item) => `${indent}  - ${scalar(item)}`)];
}
