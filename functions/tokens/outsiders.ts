/** An account, and those beside it that the policy file trusts: their ids. */
export interface Insiders {
  readonly account: string;
  readonly trusted: readonly string[];
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;

const isInside = (account: string | undefined, { account: own, trusted }: Insiders) =>
  account === own || (account !== undefined && trusted.includes(account));

/** The account in the ARN of a role, a user, a session or an account, or of the id alone; undefined: none is named. */
const accountOf = (principal: string): string | undefined =>
  /^(?:arn:[a-z-]+:(?:iam|sts)::)?([0-9]{12})(?::|$)/.exec(principal)?.[1];

/** Operators under which a key that is missing, or has another value, forbids. */
const DEMANDS =
  /^(?:ForAnyValue:)?(?:StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/i;
const ACCOUNTS = new Set(['aws:principalaccount', 'aws:sourceaccount', 'kms:calleraccount']);
const ARNS = new Set(['aws:principalarn', 'aws:sourcearn']);
const ORGANIZATIONS = new Set(['aws:principalorgid', 'aws:principalorgpaths', 'aws:sourceorgid']);

/** Whether a condition leaves only principals of these accounts, or of one organisation. */
function limits(key: string, values: readonly unknown[], insiders: Insiders): boolean {
  return values.every((value) => {
    if (typeof value !== 'string') return false;
    if (ACCOUNTS.has(key)) return isInside(value, insiders);
    if (ARNS.has(key))
      return isInside(/^arn:[^:*?]+:[^:*?]+:[^:*?]*:([0-9]{12}):/.exec(value)?.[1], insiders);
    return ORGANIZATIONS.has(key) && /^o-[a-z0-9]{10,32}(?:\/|$)/.test(value);
  });
}

/** Whether one of the keys that a condition demands, in lower case, is so with all its values. */
function demands(
  condition: unknown,
  isSo: (key: string, values: readonly unknown[]) => boolean,
): boolean {
  return Object.entries(record(condition) ?? {}).some(
    ([operator, keys]) =>
      DEMANDS.test(operator) &&
      Object.entries(record(keys) ?? {}).some(([key, value]) => {
        const values = list(value);
        return values.length > 0 && isSo(key.toLowerCase(), values);
      }),
  );
}

/** What AWS shows in place of the ARN of a role or a user that was deleted; nobody can tell whose it was. */
const DELETED = /^A(?:ROA|IDA)[A-Z0-9]+$/;

function shown(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '';
  return DELETED.test(value) ? `${value} (a role or user that was deleted)` : value;
}

/** Who of one `Principal` is outside under a condition, as the policy names them. */
function outsidersIn(principal: unknown, condition: unknown, insiders: Insiders): string[] {
  const isLimitedToUs = demands(condition, (key, values) => limits(key, values, insiders));
  const everybody = isLimitedToUs ? [] : ['*'];
  if (principal === '*') return everybody;
  const kinds = record(principal);
  if (!kinds) return [shown(principal)];
  return Object.entries(kinds).flatMap(([kind, values]) => {
    if (kind === 'Service') {
      // It acts for some account. For which, nobody knows where no condition says so.
      const isForOthers = demands(
        condition,
        (key, accounts) => key === 'aws:sourceaccount' && !limits(key, accounts, insiders),
      );
      return isForOthers && !isLimitedToUs
        ? list(values).map((value) => `${shown(value)} for another account`)
        : [];
    }
    return list(values).flatMap((value) => {
      if (kind === 'AWS' && value === '*') return everybody;
      const account = typeof value === 'string' ? accountOf(value) : undefined;
      return isInside(account, insiders) ? [] : [shown(value)];
    });
  });
}

/** A policy that cannot be read as one. */
export class StrangePolicyError extends Error {
  override readonly name = 'StrangePolicyError';
}

function statementsIn(text: string): readonly unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new StrangePolicyError('it is not JSON', { cause });
  }
  const { Statement } = record(document) ?? {};
  if (Statement === undefined) throw new StrangePolicyError('it has no statement');
  return list(Statement);
}

/**
 * Whom a resource policy or a key policy allows anything, and who is neither of this account nor of one that is
 * trusted: as the policy names them, sorted. `*` is one of them unless a condition demands an account or an
 * organisation. What a `Deny` takes away again is not reckoned with.
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 *
 * @param text the policy as JSON
 * @throws StrangePolicyError
 */
export function outsidersOf(text: string, insiders: Insiders): string[] {
  const found = statementsIn(text).flatMap((each) => {
    const statement = record(each);
    if (!statement) throw new StrangePolicyError('a statement of it is none');
    const { Effect, Principal, NotPrincipal, Condition } = statement;
    if (Effect === 'Deny') return [];
    if (NotPrincipal === undefined) return outsidersIn(Principal, Condition, insiders);
    // Everybody but those that it names.
    const isOpen = outsidersIn('*', Condition, insiders).length > 0;
    return isOpen ? ['everybody but some (NotPrincipal)'] : [];
  });
  return [...new Set(found)].sort();
}
