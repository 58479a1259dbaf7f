/** Parses JSON and drops nulls, which AWS treats as absent; `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => value ?? undefined);
  } catch {
    return undefined;
  }
}
