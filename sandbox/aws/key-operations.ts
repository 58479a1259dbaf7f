import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { type Operation, operation } from './request.ts';
import type { Key } from './state.ts';
import { own, type Store } from './store.ts';

const keyId = z.string().min(1).max(2048);
const policy = z.string().min(1).max(131_072);

/** What KMS gives a key whose maker gave none: docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
const defaultPolicy = ({ accountId }: Store) =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });

const arnOf = ({ region, accountId }: Store, rest: string) =>
  `arn:aws:kms:${region}:${accountId}:${rest}`;

const missing = (store: Store, rest: string) =>
  new AwsError('NotFoundException', `Key '${arnOf(store, rest)}' does not exist`);

function find(store: Store, given: string): Key {
  const id = given.split(':key/').at(-1) ?? given;
  const found = own(store.state.keys, id);
  if (found === undefined) throw missing(store, `key/${id}`);
  return found;
}

/** By id or ARN, and by the name or ARN of an alias. */
function findByAny(store: Store, given: string): Key {
  const alias = /(?:^|:)(alias\/.+)$/.exec(given)?.[1];
  if (alias === undefined) return find(store, given);
  const id = own(store.state.aliases, alias);
  if (id === undefined) throw missing(store, alias);
  return find(store, id);
}

const save = (store: Store, key: Key) =>
  store.update({ keys: { ...store.state.keys, [key.id]: key } });

const shown = ({ id, arn }: Key) => ({
  KeyMetadata: { KeyId: id, Arn: arn, Enabled: true, KeyState: 'Enabled', KeyManager: 'CUSTOMER' },
});

function add(store: Store, text: string | undefined): Key {
  const digest = store.draw();
  const id = [8, 12, 16, 20, 32]
    .map((end, index, ends) => digest.slice(ends[index - 1] ?? 0, end))
    .join('-');
  const key = { id, arn: arnOf(store, `key/${id}`), policy: text ?? defaultPolicy(store) };
  save(store, key);
  return key;
}

const alias = z.string().regex(/^alias\/[A-Za-z0-9/_-]+$/);

const give = (store: Store, name: string, { id }: Key) =>
  store.update({ aliases: { ...store.state.aliases, [name]: id } });

/** A key with an alias, as a deploy of somebody else would make it. Returns its ARN. */
export function makeKey(store: Store, text?: string, name?: string): string {
  const key = add(store, text);
  if (name !== undefined) give(store, alias.parse(name), key);
  return key.arn;
}

const createKey = operation(z.object({ Policy: policy.optional() }), (store, input) =>
  shown(add(store, input.Policy)),
);

const createAlias = operation(
  z.object({ AliasName: alias, TargetKeyId: keyId }),
  (store, { AliasName, TargetKeyId }) => {
    give(store, AliasName, find(store, TargetKeyId));
    return {};
  },
);

const describeKey = operation(z.object({ KeyId: keyId }), (store, { KeyId }) =>
  shown(findByAny(store, KeyId)),
);

/** KMS takes no alias here: docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
const getKeyPolicy = operation(z.object({ KeyId: keyId }), (store, { KeyId }) => {
  if (/(?:^|:)alias\//.test(KeyId)) throw new AwsError('InvalidArnException', 'Invalid keyId');
  return { Policy: find(store, KeyId).policy, PolicyName: 'default' };
});

const putKeyPolicy = operation(
  z.object({ KeyId: keyId, Policy: policy }),
  (store, { KeyId, Policy }) => {
    save(store, { ...find(store, KeyId), policy: Policy });
    return {};
  },
);

export const keyOperations: Readonly<Record<string, Operation>> = {
  CreateKey: createKey,
  CreateAlias: createAlias,
  DescribeKey: describeKey,
  GetKeyPolicy: getKeyPolicy,
  PutKeyPolicy: putKeyPolicy,
};
