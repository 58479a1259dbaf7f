import { Annotations, CfnResource, Stack, Stage, Token } from 'aws-cdk-lib';
import type {
  CfnGroup,
  CfnManagedPolicy,
  CfnPolicy,
  CfnRole,
  CfnUser,
  Grant,
} from 'aws-cdk-lib/aws-iam';
import { type Construct, Dependable, type IConstruct } from 'constructs';
import { type References, writtenOut } from './written-out.ts';

/**
 * How many bytes without white space IAM takes of a managed policy, and of all inline policies of somebody together.
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
 */
const MOST = {
  'a managed policy': 6_144,
  "a role's own policies": 10_240,
  "a user's own policies": 2_048,
  "a group's own policies": 5_120,
} as const;
type Kind = keyof typeof MOST;

/** References of a usual length: a warning is for what is likely. */
const USUAL: References = {
  known: {
    'AWS::Partition': 'aws',
    'AWS::AccountId': '111122223333',
    'AWS::Region': 'eu-central-1',
    'AWS::URLSuffix': 'amazonaws.com',
  },
  // As long as the ARN of a role that CloudFormation has named.
  other: 'x'.repeat(90),
};

/** A document of the template, and whose room it takes. */
interface Document {
  readonly kind: Kind;
  /** Of another construct with the same one, the room is the same: a role may be imported into several stacks. */
  readonly whose: string;
  readonly bytes: number;
}

const OWNED: Readonly<Record<string, Kind>> = {
  'AWS::IAM::Role': "a role's own policies",
  'AWS::IAM::User': "a user's own policies",
  'AWS::IAM::Group': "a group's own policies",
};

/** What a parameter or a condition decides at the deployment is no list, and is not measured. */
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/**
 * What a resource of the template takes of anybody's room. CDK's classes are not asked for: an app may have several copies of them. Nor
 * is a form relied on: an app has resources from templates, whose mistakes are for CDK to tell.
 */
function documentsOf(resource: CfnResource): Document[] {
  const stack = Stack.of(resource);
  const { cfnResourceType: type } = resource;
  const documentOf = (kind: Kind, name: unknown, document: unknown): Document => {
    // A reference means something in its own stack alone, and so does a name where nobody knows the account.
    const isKnown = typeof name === 'string' && !Token.isUnresolved(stack.account);
    const place = isKnown ? stack.account : stack.node.path;
    const bytes = Buffer.byteLength(JSON.stringify(writtenOut(document, USUAL)) ?? '');
    return { kind, whose: JSON.stringify([place, kind, name]), bytes };
  };
  const own = stack.resolve(resource.ref);
  const ofOwner = OWNED[type];
  if (ofOwner !== undefined) {
    const { policies } = resource as CfnRole | CfnUser | CfnGroup;
    const inline = listOf(stack.resolve(policies)) as { readonly policyDocument?: unknown }[];
    return inline.map((each) => documentOf(ofOwner, own, each?.policyDocument));
  }
  if (type !== 'AWS::IAM::Policy' && type !== 'AWS::IAM::ManagedPolicy') return [];
  const { policyDocument, roles, users, groups } = resource as CfnPolicy | CfnManagedPolicy;
  const document = stack.resolve(policyDocument);
  if (type === 'AWS::IAM::ManagedPolicy') return [documentOf('a managed policy', own, document)];
  const of = (kind: Kind, names: unknown) =>
    listOf(stack.resolve(names)).map((name) => documentOf(kind, name, document));
  return [
    ...of("a role's own policies", roles),
    ...of("a user's own policies", users),
    ...of("a group's own policies", groups),
  ];
}

const stageOf = (construct: IConstruct) => Stage.of(construct) ?? construct.node.root;

const resourcesIn = (construct: IConstruct): CfnResource[] =>
  construct.node.findAll().filter((each) => CfnResource.isCfnResource(each));

interface Watched {
  readonly at: Construct;
  readonly grant: Grant;
}

/**
 * Says at synthesis where a grant is in policies that are longer than IAM takes: it refuses them at the deployment. What is in the
 * template in the end is measured, whoever put it there, once CDK has merged and divided it.
 */
export class Room {
  /** By stages: what CDK has not prepared yet would be frozen by whoever looks at it. */
  readonly #watched = new Map<IConstruct, Watched[]>();

  /** @param at whom the warning is about */
  watch(at: Construct, grant: Grant): void {
    const stage = stageOf(at);
    const watched = this.#watched.get(stage) ?? [];
    watched.push({ at, grant });
    if (watched.length > 1) return;
    this.#watched.set(stage, watched);
    const validate = () => {
      tell(stage, watched);
      return [];
    };
    at.node.addValidation({ validate });
  }
}

function tell(stage: IConstruct, watched: readonly Watched[]): void {
  const all = resourcesIn(stage)
    .filter((each) => stageOf(each) === stage)
    .flatMap(documentsOf);
  const told = new Set<string>();
  for (const { at, grant } of watched) {
    const written = Dependable.of(grant).dependencyRoots.flatMap(resourcesIn);
    for (const { kind, whose } of written.flatMap(documentsOf)) {
      if (told.has(whose)) continue;
      told.add(whose);
      const same = all.filter((each) => each.whose === whose);
      const bytes = same.reduce((sum, each) => sum + each.bytes, 0);
      if (bytes > MOST[kind]) warn(at, kind, bytes);
    }
  }
}

function warn(at: Construct, kind: Kind, bytes: number): void {
  const [found, expected] = [bytes, MOST[kind]].map((each) => each.toLocaleString('en'));
  Annotations.of(at).addWarningV2(
    'keyturn:room',
    `Keyturn's grants: found about ${found} bytes of rights for ${at.node.path}, with all others that this app gives it, expected at most ${expected}, which is what IAM takes of ${kind}: the deployment may be refused; give it fewer, put what it has as inlinePolicies into managed ones, or have it assume another role that this app makes, whose policies CDK divides`,
  );
}
