const ANY_TEXT = '*';
const ANY_LETTER = '?';

/** `?*?**` says the same as `??*`; written one way, two globs can be compared letter by letter. */
const normalized = (glob: string) =>
  glob.replace(/[*?]+/g, (run) => {
    const letters = ANY_LETTER.repeat(run.length - run.replaceAll(ANY_LETTER, '').length);
    return run.includes(ANY_TEXT) ? letters + ANY_TEXT : letters;
  });

/** Reads both from left to right; only the last `*` is ever given more, so the time is bounded. */
function consumes(glob: readonly string[], text: readonly string[]): boolean {
  let next = 0;
  let star: { readonly behind: number; taken: number } | undefined;
  for (let at = 0; at < text.length; ) {
    const wanted = glob[next];
    if (wanted === ANY_TEXT) {
      next += 1;
      star = { behind: next, taken: at };
    } else if (wanted === text[at] || (wanted === ANY_LETTER && text[at] !== ANY_TEXT)) {
      next += 1;
      at += 1;
    } else if (star) {
      star.taken += 1;
      next = star.behind;
      at = star.taken;
    } else {
      return false;
    }
  }
  return glob.slice(next).every((rest) => rest === ANY_TEXT);
}

/** Whether a database's name matches: `*` stands for any characters, "/" among them, `?` for one. */
export const matchesGlob = (glob: string, name: string): boolean => consumes([...glob], [...name]);

/**
 * Whether everything that `narrow` matches is matched by `wide` as well. A yes is certain; a no may
 * overlook that `?*` covers `*a`, where a `?` would have to stand for a part of a `*`.
 */
export const coversGlob = (wide: string, narrow: string): boolean =>
  consumes([...normalized(wide)], [...normalized(narrow)]);
