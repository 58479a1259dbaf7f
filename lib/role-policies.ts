import { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Grant } from './grants.ts';
import { type References, writtenOut } from './written-out.ts';

/**
 * What IAM takes for one role, in characters of JSON without white space: the managed policies that are attached to it,
 * each of them, and all inline policies together.
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const MOST_ATTACHED = 10;
const MANAGED_BYTES = 6_144;
/** IAM takes 10,240. From 10,000 on, CDK would move statements into managed policies of its own. */
const INLINE_BYTES = 10_000;
const EMPTY = '{"Version":"2012-10-17","Statement":[]}'.length;
const COMMA = 1;
/** What CDK leaves out of a statement without resources, or with one: the key, and the brackets of lists. */
const LISTS = '"Resource":[],"Action":[],'.length;

/** What nobody knows before the deployment, in the longest form that it may have. */
const LONGEST: References = {
  known: {
    'AWS::Partition': 'aws-us-gov',
    'AWS::Region': 'us-isof-south-1',
    'AWS::AccountId': '111122223333',
    'AWS::URLSuffix': 'amazonaws.com.cn',
  },
  // Of a stack's own resources, a log group's name may have 512 characters.
  other: 'x'.repeat(600),
};

/** How many bytes a value of a policy has in the JSON that IAM counts, at most. */
const bytesOf = (scope: Construct, value: unknown): number =>
  Buffer.byteLength(JSON.stringify(writtenOut(Stack.of(scope).resolve(value), LONGEST)));

/**
 * Set on a construct before its children, it keeps CDK from dividing their policies anew: by what it takes for the
 * length of an ARN, whatever length that has.
 */
export const UNDIVIDED = { '@aws-cdk/aws-iam.arnSizeEstimate': 1 } as const;

/** The statements of a role's policies. */
export interface RolePolicies {
  readonly inline: readonly PolicyStatement[];
  readonly managed: readonly (readonly PolicyStatement[])[];
}

interface Room {
  readonly most: number;
  readonly statements: PolicyStatement[];
  used: number;
}

const room = (most: number): Room => ({ most, statements: [], used: EMPTY });

/**
 * Lays grants out over the policies of one role: those that are not long inline, and what names secrets one by one
 * behind them, in statements that are divided wherever a policy is full.
 * @throws RoleTooLargeError if they do not fit into the policies that a role may have
 */
export function layOut(grants: readonly Grant[], scope: Construct): RolePolicies {
  const inline = room(INLINE_BYTES);
  const rooms = [inline];
  const ordered = [...grants].sort((a, b) => a.values.length - b.values.length);
  for (const { values, statementOf } of ordered) {
    const empty = bytesOf(scope, statementOf([]).toStatementJson()) + LISTS + COMMA;
    let some: string[] = [];
    let last = rooms.at(-1) ?? inline;
    const close = () => {
      if (some.length > 0) last.statements.push(statementOf(some));
      some = [];
    };
    for (const value of values) {
      const bytes = bytesOf(scope, value) + COMMA;
      const needed = bytes + (some.length === 0 ? empty : 0);
      if (last.used + needed > last.most) {
        close();
        last = room(MANAGED_BYTES);
        rooms.push(last);
        last.used += empty + bytes;
      } else {
        last.used += needed;
      }
      some.push(value);
    }
    close();
  }
  const managed = rooms.slice(1).map(({ statements }) => statements);
  if (managed.length > MOST_ATTACHED) throw new RoleTooLargeError(managed.length);
  return { inline: inline.statements, managed };
}

/** The grants of one role need more policies than IAM attaches to it. */
export class RoleTooLargeError extends Error {
  override readonly name = 'RoleTooLargeError';
  /** Into how many roles the values would have to be divided evenly, so that each fits. */
  readonly roles: number;

  constructor(policies: number) {
    super(
      `${policies} managed policies of ${MANAGED_BYTES.toLocaleString('en')} bytes, expected at most ${MOST_ATTACHED}, which IAM attaches to a role`,
    );
    this.roles = Math.ceil(policies / MOST_ATTACHED);
  }
}
