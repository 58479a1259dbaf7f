/** By `LogicalId` (Ref), `LogicalId.Attribute` (Fn::GetAtt) and pseudo parameter (`AWS::Region`). */
export type References = Readonly<Record<string, string>>;

/** The value of a template's expression; an unknown part is `${LogicalId.Attribute}`. */
export function resolveIntrinsics(expression: unknown, references: References): string {
  const lookUp = (name: string) => references[name] ?? `\${${name}}`;
  if (typeof expression !== 'object' || expression === null) return String(expression);
  const [[name, argument] = []] = Object.entries(expression);
  if (name === 'Ref') return lookUp(String(argument));
  if (name === 'Fn::GetAtt') return lookUp([argument].flat().join('.'));
  if (name === 'Fn::Join' && Array.isArray(argument) && Array.isArray(argument[1])) {
    const parts = argument[1].map((part) => resolveIntrinsics(part, references));
    return parts.join(String(argument[0]));
  }
  if (name === 'Fn::Sub') {
    const [text, values = {}] = Array.isArray(argument) ? argument : [argument];
    return String(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_match, escaped: string, key: string) => {
      if (escaped !== '') return `\${${key}}`;
      const value: unknown = values[key];
      return value === undefined ? lookUp(key) : resolveIntrinsics(value, references);
    });
  }
  return `\${${JSON.stringify(expression)}}`;
}
