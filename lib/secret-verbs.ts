/** What each role may do with secrets, as verbs of `secretsmanager`. `enforce` reads the management token alone. */
export const SECRET_VERBS = {
  rotate: [
    'CreateSecret',
    'DescribeSecret',
    'GetResourcePolicy',
    'GetSecretValue',
    'ListSecretVersionIds',
    'PutSecretValue',
    'TagResource',
    'UpdateSecretVersionStage',
  ],
  reap: ['DescribeSecret', 'ListSecretVersionIds', 'UpdateSecretVersionStage'],
  'secrets-manager-rotation': [
    'DescribeSecret',
    'GetResourcePolicy',
    'GetSecretValue',
    'ListSecretVersionIds',
    'PutSecretValue',
    'UpdateSecretVersionStage',
  ],
  revoke: [
    'DescribeSecret',
    'GetResourcePolicy',
    'GetSecretValue',
    'ListSecretVersionIds',
    'PutSecretValue',
    'TagResource',
    'UntagResource',
    'UpdateSecretVersionStage',
  ],
};
