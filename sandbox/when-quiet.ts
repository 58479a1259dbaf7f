/**
 * Calls back once nothing has stirred for so many turns of the event loop, which leaves room for
 * what a settled promise or an ended stream sets off. The returned function says: something stirred.
 */
export function whenQuiet(turns: number, callback: () => void): () => void {
  let stirs = 0;
  let watching = false;
  const watch = (seen: number, left: number): void => {
    if (seen !== stirs) {
      setImmediate(watch, stirs, turns);
    } else if (left > 0) {
      setImmediate(watch, seen, left - 1);
    } else {
      watching = false;
      callback();
    }
  };
  return () => {
    stirs++;
    if (watching) return;
    watching = true;
    setImmediate(watch, stirs, turns);
  };
}
