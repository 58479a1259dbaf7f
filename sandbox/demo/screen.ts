import { styleText } from 'node:util';

/** What every terminal has at least. */
const COLUMNS = 80;

/**
 * Words in lines of 80 columns; a word that is longer is not broken.
 * @param hanging how many columns the second line and those behind it are moved to the right
 */
export function wrapped(text: string, hanging = 0): string {
  const lines: string[] = [];
  for (const word of text.split(/(?<=\S) /)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= COLUMNS) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(line === undefined ? word : `${' '.repeat(hanging)}${word}`);
  }
  return lines.join('\n');
}

/** Colours on a terminal alone, and not if NO_COLOR is set. */
export const painted = (format: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) =>
  styleText(format, text, { stream: process.stdout });
