/** What stands in a template for what nobody knows before the deployment: by the name of a pseudo parameter, and of all else. */
export interface References {
  readonly known: Readonly<Record<string, string>>;
  readonly other: string;
}

/** A value of a template with everything that is a reference written out, as IAM gets it. */
export function writtenOut(value: unknown, references: References): unknown {
  const inside = (each: unknown) => writtenOut(each, references);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inside);
  const { Ref, 'Fn::Join': join } = value as Record<string, unknown>;
  // Its second part may be a reference to a list.
  if (Array.isArray(join) && Array.isArray(join[1])) {
    return join[1].map(inside).join(String(join[0]));
  }
  const [key = '', ...others] = Object.keys(value);
  if (others.length === 0 && /^(?:Ref$|Fn::)/.test(key)) {
    return references.known[String(Ref)] ?? references.other;
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inside(part)]));
}
