/** What a text says in JSON, without nulls (AWS takes them for absent); `undefined` if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => value ?? undefined);
  } catch {
    return undefined;
  }
}
