/** `CRASH_POINTS=all`: every case, in minutes; otherwise one in so many, always the same ones. */
const all = process.env.CRASH_POINTS === 'all';

/** Chooses from the cases of one test, and counts: `next` says whether to run the next one. */
export function sampleOf(oneIn: number) {
  let cases = 0;
  let ran = 0;
  return {
    next(): boolean {
      const isChosen = all || cases % oneIn === 0;
      cases += 1;
      if (isChosen) ran += 1;
      return isChosen;
    },
    get counts() {
      return { cases, ran };
    },
  };
}

export type Sample = ReturnType<typeof sampleOf>;
