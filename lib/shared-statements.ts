import type { Grant as IamGrant, IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import { give } from './access.ts';
import type { Grant } from './grants.ts';

/**
 * CDK divides a role's policies between statements, at 6,000 characters each. It takes an ARN for 150 of them while it does not know the
 * account, so that two statements of so many fill one policy.
 */
const MOST_VALUES = 18;

interface Written {
  readonly grant: IamGrant;
  readonly values: string[];
}

/**
 * Statements in the policies of others: grants to one principal that differ in their values alone share them. IAM bounds the length of
 * all policies of a role, and CDK merges no statements with other conditions.
 */
export class SharedStatements {
  readonly #written = new Map<IPrincipal, Map<string, Written[]>>();

  /** @returns CDK's grant of the last statement that has one of the values */
  give(grantee: IGrantable, { values, statementOf }: Grant): IamGrant {
    const [first, ...others] = values.map((value) => this.#giveOne(grantee, value, statementOf));
    if (!first) throw new Error('a grant of nothing');
    return others.at(-1) ?? first;
  }

  #giveOne(grantee: IGrantable, value: string, statementOf: Grant['statementOf']): IamGrant {
    const alike = this.#alike(grantee.grantPrincipal, statementOf);
    const same = alike.find(({ values }) => values.includes(value));
    if (same) return same.grant;
    const last = alike.at(-1);
    const statement = last?.grant.principalStatement;
    // CDK freezes what it has synthesized.
    if (last && statement && !statement.frozen && last.values.length < MOST_VALUES) {
      last.values.push(value);
      const grown = statementOf([...last.values]);
      statement.addResources(...grown.resources);
      statement.addConditions(grown.conditions as Record<string, object>);
      return last.grant;
    }
    const grant = give(grantee, statementOf([value]));
    if (grant.success) alike.push({ grant, values: [value] });
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
