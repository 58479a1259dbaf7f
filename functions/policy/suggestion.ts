function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const substitute = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substitute, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The most similar of the known names. Undefined: none is similar. */
export function closestOf(key: string, known: readonly string[]): string | undefined {
  const [closest] = known
    .map((each) => ({ each, distance: editDistance(key.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, distance }) => distance <= Math.max(2, each.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return closest?.each;
}

/** The end of a sentence about an unknown name: the most similar of the known ones, or all of them; nothing if there are none. */
export function suggestionFor(key: string, known: readonly string[]): string {
  if (known.length === 0 || known.includes(key)) return '';
  const closest = closestOf(key, known);
  return closest === undefined
    ? `; known here: ${known.join(', ')}`
    : `; did you mean "${closest}"?`;
}
