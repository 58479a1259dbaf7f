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
    const secret = store.findUsable(input.SecretId);
    if (parseJson(input.ResourcePolicy) === undefined)
      throw new AwsError('MalformedPolicyDocumentException', 'This resource policy is malformed.');
    store.save({ ...secret, resourcePolicy: input.ResourcePolicy });
    return { ARN: secret.arn, Name: secret.name };
  },
);

const getResourcePolicy = operation(z.object({ SecretId: members.secretId }), (store, input) => {
  const secret = store.findUsable(input.SecretId);
  return { ARN: secret.arn, Name: secret.name, ResourcePolicy: secret.resourcePolicy };
});

const deleteResourcePolicy = operation(z.object({ SecretId: members.secretId }), (store, input) => {
  const secret = store.findUsable(input.SecretId);
  store.save({ ...secret, resourcePolicy: undefined });
  return { ARN: secret.arn, Name: secret.name };
});

/** Policies are stored and shown, but have no effect: callers are not authenticated. */
export const resourcePolicyOperations: Readonly<Record<string, Operation>> = {
  PutResourcePolicy: putResourcePolicy,
  GetResourcePolicy: getResourcePolicy,
  DeleteResourcePolicy: deleteResourcePolicy,
};
