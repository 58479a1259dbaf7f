import { Annotations, ArnFormat, Aspects, Resource, Stack, Stage, Token } from 'aws-cdk-lib';
import type { SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import {
  AnyPrincipal,
  Grant as IamGrant,
  type IGrantable,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, DependencyGroup, type IConstruct } from 'constructs';
import { functionName } from '../functions/environment.ts';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import {
  accountElsewhere,
  constructOf,
  type Elsewhere,
  give,
  isUnknown,
  principalOf,
  refuseNobody,
  replicaFor,
  together,
} from './access.ts';
import { allow, type Grant, type Grants } from './grants.ts';
import { logGroupName } from './keyturn-function.ts';
import type { KeyturnSchedule } from './keyturn-schedule.ts';
import { borneBy, type NamedKey } from './kms-key.ts';
import { placeInWords, placeOf } from './places.ts';
import type { PolicyFile } from './policy-file.ts';
import type { KeyturnProps } from './properties.ts';
import { Room } from './room.ts';
import { SharedStatements } from './shared-statements.ts';
import { outermost, refersTo, wayTo } from './stack-order.ts';
import { isStandIn } from './stand-ins.ts';

/** A stack, and those that it is nested in: what it needs of these goes by parameters, and needs no other order. */
function isWithin(stack: Stack, other: Stack): boolean {
  if (stack === other) return true;
  return stack.nestedStackParent !== undefined && isWithin(stack.nestedStackParent, other);
}

/**
 * The other stacks that make what the app gave the construct, if the roles of its schedules need it; what was imported into one needs
 * nothing of it. Within one deployment, CloudFormation orders single resources, and these roles have the boundary alone.
 */
function stacksNeededBy(scope: Construct, props: KeyturnProps): ReadonlyMap<Stack, string> {
  const home = Stack.of(scope);
  return new Map(
    Object.entries(props).flatMap(([property, value]) =>
      [value, (Object(value) as SubnetSelection).subnets]
        .flat()
        .filter(Construct.isConstruct)
        .map((each): IConstruct => ('aliasName' in each ? borneBy(each as unknown as IKey) : each))
        .filter((each) => Resource.isOwnedResource(each))
        .map((each) => [Stack.of(each), property] as const)
        .filter(([stack]) => !isWithin(home, stack) && refersTo(home, stack))
        .filter(([stack]) => !isWithin(stack, home) || property === 'boundary'),
    ),
  );
}

/** What reads a secret that is known by its name alone: Secrets Manager puts a hyphen and six characters behind it. */
const toRead = (secretArn: string): Grant =>
  allow(
    ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    [`${secretArn}-??????`],
  );

/** CDK says of a role that it may not change that a statement was added, and tells it from others by this property alone. */
const isNeverWritten = (grantee: IGrantable) => 'addGrantsToResources' in principalOf(grantee);

/** What was not given. Of such a grant CDK would say neither what nor why, and an app that asserts it ends before its warnings are shown. */
const refused = (grantee: IGrantable, why: string): IamGrant =>
  Object.assign(IamGrant.drop(grantee, why), {
    assertSuccess() {
      throw new Error(why);
    },
  });

/** In place of who is not looked up yet: CDK's grant says that it was given, and nothing is written, not even into a role that CDK may change. */
const notLookedUp = Object.assign(new AnyPrincipal(), {
  addToPrincipalPolicy: () => ({ statementAdded: true, policyDependable: new DependencyGroup() }),
});

interface RightsProps {
  readonly policyFile: PolicyFile;
  /** What the app gave the construct. */
  readonly props: KeyturnProps;
  readonly grants: Grants;
  readonly encryptionKey: NamedKey | undefined;
  readonly replicaRegions: readonly ReplicaRegion[];
}

/** What a deployment gives to others: who reads a secret, who gives orders, who operates. */
export class Rights {
  readonly #scope: Construct;
  readonly #policyFile: PolicyFile;
  readonly #grants: Grants;
  readonly #encryptionKey: NamedKey | undefined;
  readonly #replicaRegions: readonly ReplicaRegion[];
  /** Other stacks of the app, by which property this one needs each. */
  readonly #needed: ReadonlyMap<Stack, string>;
  readonly #statements = new SharedStatements();
  readonly #room = new Room();
  readonly #operators: IGrantable[] = [];

  constructor(
    scope: Construct,
    { policyFile, props, grants, encryptionKey, replicaRegions }: RightsProps,
  ) {
    this.#scope = scope;
    this.#policyFile = policyFile;
    this.#grants = grants;
    this.#encryptionKey = encryptionKey;
    this.#replicaRegions = replicaRegions;
    this.#needed = stacksNeededBy(scope, props);
    // What the stack needs may be said after a grant.
    const visit = (node: IConstruct) => {
      if (node === scope) for (const each of this.#operators) this.#refuseNeeded(each);
    };
    Aspects.of(scope).add({ visit });
  }

  read(token: string, { secretArn, secretName }: ISecret, grantee: IGrantable): IamGrant {
    refuseNobody('grantRead', grantee);
    const replica = replicaFor(this.#scope, grantee, this.#replicaRegions, this.#policyFile, token);
    const arn = replica ? this.#grants.replicaArn(secretName, replica) : secretArn;
    const keys = replica
      ? this.#grants.decryptReplica(secretName, replica)
      : this.#grants.decryptSecret(secretName, this.#encryptionKey);
    const given = () =>
      together([
        this.#statements.give(grantee, toRead(arn)),
        ...keys.map((key) => this.#statements.give(grantee, key)),
      ]);
    return this.#told('grantRead', grantee, given, {
      id: `grantRead-${token}`,
      elsewhere: ({ found, home }) =>
        `grantRead: found ${found} as the account of who reads the secret of "${token}", expected ${home}: a grant of this stack is not enough; there the role needs secretsmanager:GetSecretValue and DescribeSecret, and kms:Decrypt; here a resource policy of the secret must allow it both, and the secret must be under a customer managed key (encryptionKey) whose policy allows it kms:Decrypt`,
    });
  }

  revoke(grantee: IGrantable): IamGrant {
    refuseNobody('grantRevoke', grantee);
    return this.#toldOfInvoking('grantRevoke', grantee, () => this.#invoke(grantee, ['revoke']));
  }

  operate(grantee: IGrantable, schedules: readonly KeyturnSchedule[]): IamGrant {
    refuseNobody('grantOperate', grantee);
    const statements = [
      new PolicyStatement({
        actions: ['scheduler:GetSchedule', 'scheduler:UpdateSchedule'],
        resources: schedules.map(({ arn }) => arn),
      }),
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: schedules.map(({ role }) => role.roleArn),
        conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      }),
      // `history`
      new PolicyStatement({ actions: ['logs:FilterLogEvents'], resources: [this.#logGroups()] }),
    ];
    const given = () => {
      this.#refuseNeeded(grantee);
      this.#operators.push(grantee);
      return together([
        this.#invoke(grantee, ['rotate', 'reap', 'enforce', 'revoke']),
        ...statements.map((statement) => give(grantee, statement)),
      ]);
    };
    return this.#toldOfInvoking('grantOperate', grantee, given);
  }

  /** One for all, since IAM has no room in a user for each. Another deployment whose name begins with this one's is read, too: no secret is in a log. */
  #logGroups(): string {
    return Stack.of(this.#scope).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: logGroupName(functionName(this.#policyFile.policy.owner, '*')),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  /**
   * By the functions' names, so that the role may be in a stack that this one needs. It writes into the policy of who invokes alone: CDK's
   * own `grantInvoke` lets in whole accounts, or everybody, at the function.
   */
  #invoke(grantee: IGrantable, entries: readonly string[]): IamGrant {
    const arns = entries.map((entry) =>
      Stack.of(this.#scope).formatArn({
        service: 'lambda',
        resource: 'function',
        resourceName: functionName(this.#policyFile.policy.owner, entry),
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    const resources = arns.flatMap((arn) => [arn, `${arn}:*`]);
    return give(grantee, new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources }));
  }

  /**
   * CDK would say of two stacks that need each other no more than that, of two stages that there is a border, and of a place that it does not
   * know that it has no physical name.
   * @throws Error if the role is in a stack that this one needs, or in another stage, or in another place while CDK does not know this one's
   */
  #refuseNeeded(grantee: IGrantable): void {
    const who = constructOf(grantee);
    if (!who) return;
    const [home, theirs] = [Stack.of(this.#scope), Stack.of(who)];
    const [own, other] = [home.node.path, theirs.node.path];
    const found = `grantOperate: found ${who.node.path}`;
    if (Stage.of(who) !== Stage.of(this.#scope)) {
      throw new Error(
        `${found}, which is in another stage than ${this.#scope.node.path}, expected one of the same stage: its policy would name roles of the schedules, and nothing in a stage may name what is in another; make the role in the stack ${own}, or in one of its stage`,
      );
    }
    const isKnown = ![home.account, home.region].some((each) => Token.isUnresolved(each));
    if (!isKnown && home.environment !== theirs.environment) {
      const place = placeInWords(placeOf(theirs)) || 'a place that is not known';
      throw new Error(
        `${found}, whose stack ${other} is in ${place}, expected one in the place of the stack ${own}, which CDK does not know: it cannot name the roles of the schedules from another; give ${own} the env of ${other}, or make the role in the stack ${own}`,
      );
    }
    if (!refersTo(theirs, home)) return;
    const property = this.#needed.get(theirs);
    const isBeside = outermost(home) !== outermost(theirs);
    const way = isBeside ? wayTo(home, theirs, this.#needed.keys()) : undefined;
    if (property === undefined && way === undefined) return;
    const through = (way ?? []).slice(1, -1).map(({ node }) => node.path);
    const why = property ? ` for its ${property}` : through.length > 0 && ` through ${through}`;
    throw new Error(
      `${found}, whose stack ${other} the stack ${own} needs${why || ', as the app says (addDependency)'}, expected one of a stack that it does not need: its policy would name roles of the schedules, so that each stack would need the other; make the role in the stack ${own}, or in one of its own`,
    );
  }

  #toldOfInvoking(
    method: 'grantRevoke' | 'grantOperate',
    grantee: IGrantable,
    given: () => IamGrant,
  ): IamGrant {
    return this.#told(method, grantee, given, {
      id: method,
      elsewhere: ({ found, home }) =>
        `${method}: found ${found} as the account of who is to have rights here, expected ${home}: this stack cannot write the policy of a role of another account, so it gets nothing; make a role of account ${home} that it may assume, and give that one the rights`,
    });
  }

  /**
   * Synthesis says where nothing was given. CDK says of a role of another account that it was given everything, and writes nothing into
   * its policy, and of who has no policy nothing at all, unless it is asked.
   */
  #told(
    method: string,
    grantee: IGrantable,
    grant: () => IamGrant,
    { id, elsewhere }: { readonly id: string; readonly elsewhere: (accounts: Elsewhere) => string },
  ): IamGrant {
    const accounts = accountElsewhere(this.#scope, grantee);
    // CDK attaches a policy by the name: somebody else's namesake here would get it.
    const isFixed = isNeverWritten(grantee);
    const given = accounts === undefined && !isFixed ? grant() : undefined;
    const isLost = isUnknown(grantee);
    if (given?.success && !isLost) {
      this.#room.watch(constructOf(grantee) ?? this.#scope, given);
      return given;
    }
    if (isStandIn(this.#scope, principalOf(grantee))) {
      return give(notLookedUp, new PolicyStatement());
    }
    const who = constructOf(grantee)?.node.path;
    const found = accounts?.found ?? who ?? String(grantee.grantPrincipal);
    const nothing = `${method}: found ${found}, expected`;
    let why = `${nothing} who has a policy of its own, such as a role: nothing was given; make a role that it may assume, and give that one the rights`;
    if (isFixed) {
      why = `${nothing} a role whose policy this app may change: nothing was given, because it was imported with mutable: false or into a stack of another account, or made by withoutPolicyUpdates(); give the rights to the role without these, or by hand (docs/operations.md)`;
    }
    if (isLost) {
      why = `${nothing} what has a role that this app knows: nothing was given, because it was imported without its role; import it with that (fromFunctionAttributes of a function, say), or give its role what the other warnings of it list`;
    }
    if (accounts) why = elsewhere(accounts);
    Annotations.of(this.#scope).addWarningV2(`keyturn:${id}-${found}`, why);
    return refused(grantee, why);
  }
}
