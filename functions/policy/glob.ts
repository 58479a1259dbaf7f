const ANY_TEXT = '*';
const ANY_LETTER = '?';

/** `?*?**` means the same as `??*`. In this form two globs can be compared letter by letter. */
const normalized = (glob: string) =>
  glob.replace(/[*?]+/g, (run) => {
    const letters = ANY_LETTER.repeat(run.length - run.replaceAll(ANY_LETTER, '').length);
    return run.includes(ANY_TEXT) ? letters + ANY_TEXT : letters;
  });

/** Reads both from left to right. Only the last `*` is ever extended, so the time is bounded. */
function consumes(glob: readonly string[], text: readonly string[]): boolean {
  let next = 0;
  let star: { readonly after: number; taken: number } | undefined;
  for (let at = 0; at < text.length; ) {
    const expected = glob[next];
    if (expected === ANY_TEXT) {
      next += 1;
      star = { after: next, taken: at };
    } else if (expected === text[at] || (expected === ANY_LETTER && text[at] !== ANY_TEXT)) {
      next += 1;
      at += 1;
    } else if (star) {
      star.taken += 1;
      next = star.after;
      at = star.taken;
    } else {
      return false;
    }
  }
  return glob.slice(next).every((rest) => rest === ANY_TEXT);
}

/** Whether a database's name matches: `*` matches any characters, also "/", and `?` matches one. */
export const matchesGlob = (glob: string, name: string): boolean => consumes([...glob], [...name]);

/**
 * Whether `wide` matches everything that `narrow` matches. True is certain. False may be wrong: it does
 * not find that `?*` covers `*a`, where a `?` would have to match a part of a `*`.
 */
export const coversGlob = (wide: string, narrow: string): boolean =>
  consumes([...normalized(wide)], [...normalized(narrow)]);
