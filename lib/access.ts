import { Stack, Token } from 'aws-cdk-lib';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable, type IPrincipal, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import * as z from 'zod/mini';
import { eventSchemas, type KeyturnEvent, namesSecret } from '../functions/events/events.ts';
import {
  type ReplicaRegion,
  replicaRegionsOf,
  type TokenPolicy,
} from '../functions/policy/policy.ts';
import { suggestionFor } from '../functions/policy/suggestion.ts';
import { refuseMistakes } from './arguments.ts';
import { placeOf } from './places.ts';
import type { PolicyFile } from './policy-file.ts';
import { isStandIn } from './stand-ins.ts';

/** @throws Error if the policy has no token of this name */
function entryNamed({ file, policy: { tokens } }: PolicyFile, token: string): TokenPolicy {
  const found = tokens.find(({ name }) => name === token);
  if (found) return found;
  const names = tokens.map(({ name }) => name);
  const asked = String(token);
  throw new Error(
    `${file}: tokens: found no "${asked}", expected it to be there for whoever asks for its secret${suggestionFor(asked, names)}`,
  );
}

/** The secret of a token of the policy, of which CDK knows no more than the name. */
export function secretOf(scope: Construct, policyFile: PolicyFile, token: string): ISecret {
  const { secret: name } = entryNamed(policyFile, token);
  const id = `Secret-${token}`;
  const known = scope.node.tryFindChild(id) as ISecret | undefined;
  return known ?? Secret.fromSecretNameV2(scope, id, name);
}

/** Which events of a deployment; absent: all. */
export interface EventChoice {
  /** About the secret of this token of the policy. Events of databases and refused plans are about none. */
  readonly token?: string;
  /** @example ['Token Rotated', 'Token Revoked'] */
  readonly types?: readonly KeyturnEvent['type'][];
}

const choiceSchema = z.object({
  token: z.optional(z.string()),
  types: z.optional(z.array(z.string())),
});

/**
 * The pattern of a rule on the bus that gets the events, also those of other deployments.
 * @throws Error if no event has one of the types, or none is named, or one is about no secret and a token is asked for: such a rule never
 * fires; and if the choice has another key
 */
export function eventPattern(policyFile: PolicyFile, choice: EventChoice): EventPattern {
  refuseMistakes('eventPattern:', choiceSchema, choice);
  const { token, types } = choice;
  const known = Object.keys(eventSchemas);
  const unknown = types?.find((type) => !known.includes(type));
  if (unknown !== undefined || types?.length === 0) {
    throw new Error(
      `eventPattern: types: found ${unknown === undefined ? 'none' : `"${unknown}"`}, expected types of Keyturn's events, or no types for all${suggestionFor(String(unknown ?? ''), known)}`,
    );
  }
  const silent = token === undefined ? undefined : types?.find((type) => !namesSecret(type));
  if (silent !== undefined) {
    throw new Error(
      `eventPattern: types: found "${silent}" beside a token, expected types whose events name a secret: ${(known as KeyturnEvent['type'][]).filter(namesSecret).join(', ')}; leave the token out, in a rule of its own`,
    );
  }
  return {
    source: ['keyturn'],
    ...(types && { detailType: [...types] }),
    detail: {
      owner: [policyFile.policy.owner],
      ...(token !== undefined && { secret: [entryNamed(policyFile, token).secret] }),
    },
  };
}

/** What CDK wraps another principal in, to put conditions or session tags on whom it trusts. */
interface Wrapper {
  readonly wrapped?: IPrincipal;
}

/** Whose policy a grant is written into, without what is around it. */
export function principalOf({ grantPrincipal }: IGrantable): IPrincipal {
  const { wrapped = grantPrincipal.grantPrincipal } = grantPrincipal as Wrapper & IPrincipal;
  return wrapped === grantPrincipal ? grantPrincipal : principalOf(wrapped);
}

/**
 * Whether CDK does not know the role of what was imported: it tells people which statements that needs, and says that they were given. An
 * app may have several copies of CDK, and bundlers rename classes; such a principal alone knows what it is of and throws for who it is.
 */
export function isUnknown(grantee: IGrantable): boolean {
  const principal = principalOf(grantee) as IPrincipal & { readonly resource?: unknown };
  if (!Construct.isConstruct(principal.resource)) return false;
  try {
    return principal.policyFragment === undefined;
  } catch {
    return true;
  }
}

/** The construct whose stack tells where somebody is: a function, or else its role. */
export const constructOf = (grantee: IGrantable): Construct | undefined =>
  [grantee, principalOf(grantee)].find(Construct.isConstruct) as Construct | undefined;

/** What a consumer reads in place of a secret. */
export interface ReplicaThere {
  readonly region: string;
  /** The key that it is to be under: the only one, or each that it may be. None: AWS's own. */
  readonly encryptionKeys: readonly string[];
}

/** The Region of a replica, as far as CDK knows it: a key by its ARN is of the same one. */
const regionOf = ({ region, encryptionKey }: ReplicaRegion): string | undefined =>
  [region, encryptionKey?.split(':')[3]].find((each) => each && !Token.isUnresolved(each));

/**
 * Where a consumer reads the replica of a secret: the Region of its stack, as far as CDK knows it, which any one that only the deployment
 * knows may be. Undefined: it reads the secret itself, or the Regions are not looked up yet.
 * @throws Error if it is in a Region that gets no replica
 */
export function replicaFor(
  scope: Construct,
  grantee: IGrantable,
  regions: readonly ReplicaRegion[],
  policyFile: PolicyFile,
  token: string,
): ReplicaThere | undefined {
  const consumer = constructOf(grantee);
  const { region: home } = placeOf(Stack.of(scope));
  const { region: there } = consumer ? placeOf(Stack.of(consumer)) : {};
  if (home === undefined || there === undefined || home === there) return undefined;
  const thatMayBe = (region: string | undefined) =>
    regions.filter((each) => regionOf(each) === region);
  const certain = thatMayBe(there);
  if (certain.length === 0 && isStandIn(scope, regions)) return undefined;
  const found = certain.length > 0 ? certain : thatMayBe(undefined);
  if (found.length > 0) {
    return {
      region: there,
      encryptionKeys: found.flatMap(({ encryptionKey }) => encryptionKey ?? []),
    };
  }
  const names = regions.map(regionOf);
  const { owner } = policyFile.policy;
  const isOurs =
    replicaRegionsOf({ owner, replicaRegions: regions }, entryNamed(policyFile, token)) !==
    undefined;
  const others = names.join(', ');
  const such = isOurs
    ? `${[home, ...names].join(', ')}, where the secret of "${token}" or a replica of it is; name ${there} in replicaRegions`
    : `${home}, where the secret of "${token}" is${others && `, or in ${others}, if whoever made it replicated it there`}; ` +
      'Keyturn replicates only secrets that it made under a name of its own, and the policy names or adopts this one: ' +
      `have it replicated to ${there} by whoever made it (aws secretsmanager replicate-secret-to-regions), and then name ${there} in replicaRegions`;
  throw new Error(
    `grantRead: found ${consumer?.node.path} in ${there}, expected a consumer in ${such}; or, ` +
      `for a consumer that reads the secret in ${home}, give it both rights by hand: keyturn.secretOf('${token}').grantRead(…), and kms:Decrypt with the key that the secret is under, unless that is AWS's own: encryptionKey, or a former one that it keeps`,
  );
}

const WHO = {
  grantRead: 'the second argument, expected who is to read the secret',
  grantRevoke: 'the argument, expected who is to give orders',
  grantOperate: 'the argument, expected who is to use the command line',
} as const;

/** @throws Error if an app in JavaScript names nobody */
export function refuseNobody(method: keyof typeof WHO, grantee: IGrantable | undefined): void {
  if (grantee?.grantPrincipal) return;
  throw new Error(`${method}: found nobody as ${WHO[method]}, such as a role or a function of CDK`);
}

/** The account of who is given something, and the stack's, which is another one. */
export interface Elsewhere {
  readonly found: string;
  readonly home: string;
}

/** Undefined: who is given something is of the stack's account, or CDK does not know both. */
export function accountElsewhere(
  scope: Construct,
  { grantPrincipal }: IGrantable,
): Elsewhere | undefined {
  const { account: home } = placeOf(Stack.of(scope));
  const { principalAccount: found } = grantPrincipal;
  if (found === undefined || Token.isUnresolved(found)) return undefined;
  return home === undefined || found === home ? undefined : { found, home };
}

/** Gives somebody a statement as it is. */
export const give = (grantee: IGrantable, statement: PolicyStatement): Grant =>
  Grant.addToPrincipal({
    grantee,
    actions: [...statement.actions],
    resourceArns: [...statement.resources],
    conditions: statement.conditions as Record<string, Record<string, unknown>>,
  });

/** One grant for several: the first that was not given, if there is one. CDK's own `combine` is given if any of them is. */
export const together = (grants: readonly [Grant, ...Grant[]]): Grant =>
  grants.find(({ success }) => !success) ?? grants.reduce((all, each) => all.combine(each));
