/**
 * `CRASH_POINTS=all`: every case, in hours. `CRASH_POINTS=11+3`: one in eleven, from the third on, to look at
 * others than `npm run test:slow` does. Otherwise one in as many as the test says, always the same ones.
 */
const { CRASH_POINTS = '' } = process.env;
const all = CRASH_POINTS === 'all';
const [, step, first] = /^(\d+)\+(\d+)$/.exec(CRASH_POINTS) ?? [];

/**
 * Chooses from the cases of one test, and counts: `next` says whether to run the next one, and `isNew` whether
 * no chosen case before has left the same behind.
 */
export function sampleOf(oneIn: number) {
  const seen = new Set<string>();
  let cases = 0;
  let ran = 0;
  let alike = 0;
  return {
    next(): boolean {
      const isChosen = all || cases % Number(step ?? oneIn) === Number(first ?? 0);
      cases += 1;
      if (isChosen) ran += 1;
      return isChosen;
    },
    isNew(left: string): boolean {
      if (seen.has(left)) {
        alike += 1;
        return false;
      }
      seen.add(left);
      return true;
    },
    /** `ran` with the `alike` ones. */
    get counts() {
      return { cases, ran, alike };
    },
  };
}

export type Sample = ReturnType<typeof sampleOf>;
