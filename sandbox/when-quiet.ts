/**
 * Calls back after this many turns of the event loop without activity: settled promises and ended
 * streams cause further work. Call the returned function to report activity.
 */
export function whenQuiet(turns: number, callback: () => void): () => void {
  let activities = 0;
  let watching = false;
  const watch = (seen: number, left: number): void => {
    if (seen !== activities) {
      setImmediate(watch, activities, turns);
    } else if (left > 0) {
      setImmediate(watch, seen, left - 1);
    } else {
      watching = false;
      callback();
    }
  };
  return () => {
    activities++;
    if (watching) return;
    watching = true;
    setImmediate(watch, activities, turns);
  };
}
