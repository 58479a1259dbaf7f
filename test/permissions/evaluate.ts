/** A statement of a policy with everything resolved: strings, and nothing of CloudFormation's. */
export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

/** One call as IAM authorizes it. */
export interface AwsRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys; those of many values are lists. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

const list = <T>(value: T | readonly T[]) => [value].flat() as T[];

/** `*` stands for any characters and `?` for one; case matters, except in actions. */
function matches(pattern: string, text: string, flags = ''): boolean {
  const source = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  const regex = source.replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${regex}$`, `s${flags}`).test(text);
}

/** A key that the request lacks fails every test but a negated one, and one of all its values. */
function holds(operator: string, wanted: readonly string[], found: readonly string[]): boolean {
  switch (operator) {
    case 'StringEquals':
    case 'ForAnyValue:StringEquals':
      return found.some((value) => wanted.includes(value));
    case 'ForAllValues:StringEquals':
      return found.every((value) => wanted.includes(value));
    case 'BoolIfExists':
      return found.every((value) => wanted.includes(value));
    case 'Bool':
      return found.some((value) => wanted.includes(value));
    case 'ArnNotLike':
      return found.every((value) => !wanted.some((pattern) => matches(pattern, value)));
    case 'StringLike':
    case 'ForAnyValue:StringLike':
      return found.some((value) => wanted.some((pattern) => matches(pattern, value)));
    default:
      throw new Error(`the evaluator knows no ${operator}`);
  }
}

export function applies({ Action, Resource, Condition }: Statement, request: AwsRequest): boolean {
  return (
    list(Action).some((pattern) => matches(pattern, request.action, 'i')) &&
    list(Resource).some((pattern) => matches(pattern, request.resource)) &&
    Object.entries(Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) =>
        holds(operator, list(wanted), list(request.context?.[key] ?? [])),
      ),
    )
  );
}

/** As IAM decides: a deny outranks every allow, and nothing is allowed by silence. */
export function isAllowed(statements: readonly Statement[], request: AwsRequest): boolean {
  const those = statements.filter((statement) => applies(statement, request));
  return those.length > 0 && those.every(({ Effect }) => Effect === 'Allow');
}

/** Every statement taken apart: one action on one resource each. */
export const takeApart = (statements: readonly Statement[]): Statement[] =>
  statements.flatMap((statement) =>
    list(statement.Action).flatMap((Action) =>
      list(statement.Resource).map((Resource) => ({ ...statement, Action, Resource })),
    ),
  );
