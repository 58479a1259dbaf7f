import type { LifePlan } from './plan.ts';
import type { Trouble } from './trouble.ts';

/** What a violation is about, without ids, instants and numbers. */
export const kindOf = (violation: string): string =>
  violation.replace(/\b[0-9a-f]{8}\b/g, '…').replace(/\d+/g, 'N');

interface Search {
  /** Whether the life from this plan still ends as the first one did. */
  readonly isStill: (plan: LifePlan) => Promise<boolean>;
  /** Whether there is time to try once more. */
  readonly mayGoOn: () => boolean;
  /** When it ended, in milliseconds from its beginning: what was to come cannot have led to that. */
  readonly endedMs: number;
}

/** Leaves out as many troubles as it can, by delta debugging (Zeller and Hildebrandt, 2002). */
export async function shrink(
  plan: LifePlan,
  { isStill, mayGoOn, endedMs }: Search,
): Promise<LifePlan> {
  let troubles: readonly Trouble[] = plan.troubles.filter(({ at }) => at <= endedMs);
  let parts = 2;
  while (troubles.length > 0 && mayGoOn()) {
    const size = Math.max(1, Math.ceil(troubles.length / parts));
    let found: readonly Trouble[] | undefined;
    for (let from = 0; from < troubles.length && mayGoOn(); from += size) {
      const fewer = troubles.toSpliced(from, size);
      if (await isStill({ ...plan, troubles: fewer })) {
        found = fewer;
        break;
      }
    }
    if (found) {
      troubles = found;
      parts = Math.max(2, parts - 1);
    } else {
      if (size === 1) break;
      parts *= 2;
    }
  }
  return { ...plan, troubles };
}
