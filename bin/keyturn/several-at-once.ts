/** Accounts with little quota may run ten functions at once; what Lambda does not start waits. */
export const AT_ONCE = 8;

/**
 * Does some at once, and those of one group one after the other. Where one throws, none that waits is begun.
 * @param work returns false where there was no room for it: it is tried again when another one has ended. Alone, it has
 *   to come to an end.
 */
export async function severalAtOnce<T>(
  groups: readonly (readonly T[])[],
  work: (each: T, isAlone: boolean) => Promise<boolean>,
): Promise<void> {
  const waiting = groups.map((group) => [...group]);
  let working = Math.min(AT_ONCE, waiting.length);
  const worker = async () => {
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      for (let [each] = group; each !== undefined; [each] = group) {
        const isDone = await work(each, working === 1).catch((error) => {
          waiting.length = 0;
          throw error;
        });
        if (isDone) group.shift();
        else if (working > 1) {
          waiting.unshift(group);
          working -= 1;
          return;
        } // the last one that works goes on alone
      }
    }
    working -= 1;
  };
  await Promise.all(Array.from({ length: working }, worker));
}
