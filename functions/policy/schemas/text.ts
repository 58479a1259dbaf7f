import * as z from 'zod/mini';
import { unseenIn, visible } from '../../visible.ts';

/** A free text of a policy; `what` says what was expected. */
export const textSchema = (what = 'a text', least = 1) =>
  z.string().check(
    z.minLength(least, what),
    z.refine((text) => visible(text) === text, {
      error: ({ input }) =>
        `${what}, on one line and without control characters or invisible ones; take out ${unseenIn(String(input))}`,
    }),
  );
