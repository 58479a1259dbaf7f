import type {
  Grant as IamGrant,
  IGrantable,
  IPrincipal,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { give, isUnknown, principalOf } from './access.ts';
import type { Grant } from './grants.ts';

/**
 * CDK divides a role's policies between statements, at 6,000 characters each. It takes an ARN for 150 of them while it does not know the
 * account, so that two statements of so many fill one policy.
 */
const MOST_VALUES = 18;

/** So many stand alone, as with CDK's own grants: an app may narrow what it got by a condition. All that a role has room for, with others. */
const ALONE = 5;

/**
 * Whether CDK only reports what a role is to get, statement by statement as it comes: `Role.customizeRoles` says so by this key of the
 * context.
 */
function isReported(grantee: IGrantable): boolean {
  const principal = principalOf(grantee);
  if (!Construct.isConstruct(principal)) return false;
  return principal.node.tryGetContext('@aws-cdk/iam:customizeRoles') !== undefined;
}

/** CDK freezes what it has synthesized, and what an app has narrowed since is for its own tokens alone. */
const isOpen = (statement: PolicyStatement, asWritten: PolicyStatement): boolean =>
  !statement.frozen &&
  JSON.stringify(statement.toStatementJson()) === JSON.stringify(asWritten.toStatementJson());

interface Written {
  readonly grant: IamGrant;
  readonly values: string[];
}

/**
 * Statements in the policies of others: grants to one principal that differ in their values alone share them. IAM bounds the length of
 * all policies of a role, and CDK merges no statements with other conditions. What is behind the first ones shares its statements.
 */
export class SharedStatements {
  readonly #written = new Map<IPrincipal, Map<string, Written[]>>();

  give(grantee: IGrantable, { values, statementOf }: Grant): IamGrant {
    if (isReported(grantee) || isUnknown(grantee)) return give(grantee, statementOf([...values]));
    const alike = this.#alike(principalOf(grantee), statementOf);
    const isAsWritten = ({ grant: { principalStatement }, values: written }: Written) =>
      principalStatement !== undefined && isOpen(principalStatement, statementOf([...written]));
    const same = alike.find(
      (each) => values.every((value) => each.values.includes(value)) && isAsWritten(each),
    );
    if (same) return same.grant;
    const last = alike.length > ALONE ? alike.at(-1) : undefined;
    const statement = last?.grant.principalStatement;
    if (last && statement && isAsWritten(last) && last.values.length < MOST_VALUES) {
      last.values.push(...values);
      const grown = statementOf([...last.values]);
      statement.addResources(...grown.resources);
      statement.addConditions(grown.conditions as Record<string, object>);
      return last.grant;
    }
    const grant = give(grantee, statementOf([...values]));
    if (grant.success) alike.push({ grant, values: [...values] });
    return grant;
  }

  /** What one principal got by statements that differ from this one in their values alone. */
  #alike(principal: IPrincipal, statementOf: Grant['statementOf']): Written[] {
    const ofPrincipal = this.#written.get(principal) ?? new Map<string, Written[]>();
    this.#written.set(principal, ofPrincipal);
    const shape = JSON.stringify(statementOf([]).toStatementJson());
    const alike = ofPrincipal.get(shape) ?? [];
    ofPrincipal.set(shape, alike);
    return alike;
  }
}
