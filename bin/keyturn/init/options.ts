/** Which option of `init` says what a policy says under a key. */
const OPTIONS: Readonly<Record<string, string>> = {
  owner: '--owner',
  'cluster.url': '--url',
  'cluster.dataUrl': '--data-url',
  'cluster.managementToken': '--management-secret',
  'cluster.ca': '--ca',
  'cluster.accountId': '--account-id',
  'cluster.clusterId': '--cluster-id',
};

export const optionOf = (key: string): string => OPTIONS[key] ?? key;

/** The functions' sentences name keys of a policy, which is only about to be written. */
export const inOptions = (text: string): string =>
  text
    .replaceAll(/\bcluster\.\w{1,20}/g, optionOf)
    .replaceAll('then the policy says', `then ${optionOf('cluster.managementToken')} says`);
