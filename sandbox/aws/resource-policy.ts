import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { parseJson } from './json.ts';
import { members, type Operation, operation } from './request.ts';

const putResourcePolicy = operation(
  z.object({
    SecretId: members.secretId,
    ResourcePolicy: z.string().min(1).max(20_480),
    BlockPublicPolicy: z.boolean().optional(),
  }),
  (store, input) => {
    const secret = store.findWritable(input.SecretId);
    if (isPublic(parsePolicy(input.ResourcePolicy)) && input.BlockPublicPolicy)
      throw new AwsError('PublicPolicyException', PUBLIC);
    store.save({ ...secret, resourcePolicy: input.ResourcePolicy });
    return { ARN: secret.arn, Name: secret.name };
  },
);

// The text, and the name of the check, are guesses.
const PUBLIC = 'The resource policy allows broad access to the secret.';

interface Statement {
  readonly Effect?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

function parsePolicy(text: string): readonly Statement[] {
  const policy = parseJson(text);
  if (typeof policy !== 'object')
    throw new AwsError('MalformedPolicyDocumentException', 'This resource policy is malformed.');
  const { Statement } = policy as { readonly Statement?: Statement | readonly Statement[] };
  return [Statement ?? []].flat();
}

/** As far as it is told here: everybody may, under no condition. */
const isPublic = (statements: readonly Statement[]) =>
  statements.some(
    ({ Effect, Principal, Condition }) =>
      Effect === 'Allow' &&
      Condition === undefined &&
      (Principal === '*' || [Object(Principal).AWS].flat().includes('*')),
  );

const validateResourcePolicy = operation(
  z.object({
    SecretId: members.secretId.optional(),
    ResourcePolicy: z.string().min(1).max(20_480),
  }),
  (store, { SecretId, ResourcePolicy }) => {
    if (SecretId !== undefined) store.findUsable(SecretId);
    const ValidationErrors = isPublic(parsePolicy(ResourcePolicy))
      ? [{ CheckName: 'BLOCK_PUBLIC_POLICY', ErrorMessage: PUBLIC }]
      : [];
    return { PolicyValidationPassed: ValidationErrors.length === 0, ValidationErrors };
  },
);

const getResourcePolicy = operation(z.object({ SecretId: members.secretId }), (store, input) => {
  const secret = store.findWritable(input.SecretId);
  return { ARN: secret.arn, Name: secret.name, ResourcePolicy: secret.resourcePolicy };
});

const deleteResourcePolicy = operation(z.object({ SecretId: members.secretId }), (store, input) => {
  const secret = store.findWritable(input.SecretId);
  store.save({ ...secret, resourcePolicy: undefined });
  return { ARN: secret.arn, Name: secret.name };
});

/** Policies are stored and shown, but have no effect: nobody asks here who may do what. */
export const resourcePolicyOperations: Readonly<Record<string, Operation>> = {
  PutResourcePolicy: putResourcePolicy,
  GetResourcePolicy: getResourcePolicy,
  DeleteResourcePolicy: deleteResourcePolicy,
  ValidateResourcePolicy: validateResourcePolicy,
};
