/** `1 token`, `2 tokens`. */
export const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

const MOST_NAMED = 5;

/** The first few, and a sign that there are more. */
export const firstOf = (texts: readonly string[]): string =>
  texts.slice(0, MOST_NAMED).join(', ') + (texts.length > MOST_NAMED ? ', …' : '');
