/** What a key of the policy file is for. */
export interface PolicyKey {
  /** One or two sentences, in plain text: editors show it. */
  readonly means: string;
  /** As the file would say it, where the schema cannot. */
  readonly default?: string;
  /** In words, what holds without the key. */
  readonly without?: string;
}

/** Of `defaults`, and of each token. */
const LIFETIMES = {
  rotateEvery: {
    means:
      "Age at which a replacement is minted, less up to a tenth that is drawn from the secret's name, so that not all are due together.",
    default: '30d',
  },
  renewBefore: {
    means:
      'Remaining life at which a replacement is minted, at any age; sooner where gracePeriod needs it.',
    default: '14d',
  },
  expiresAfter: {
    means:
      'How long a token lives if nobody rotates it, or never. So much longer than rotateEvery that it outlives its grace period.',
    default: '90d',
  },
  gracePeriod: {
    means:
      'How long consumers may take to read the secret again. At least an hour, unless allowGracePeriodUnderAnHour.',
    default: '24h',
  },
  quarantine: {
    means:
      'How long a replaced token has no permissions before it is deleted; until then it can be given back. 0s deletes at once.',
    default: '7d',
  },
  windows: {
    means:
      'When a token may be promoted, in timeZone. It is minted before; what is urgent does not wait.',
    without: 'always',
  },
} as const satisfies Record<string, PolicyKey>;

/** What a token does not say stands under `defaults`. */
const OF_TOKEN = Object.fromEntries(
  Object.entries(LIFETIMES).map(([key, { means }]) => [
    key,
    { means, without: 'that of `defaults`' },
  ]),
);

const under = (path: string, keys: Readonly<Record<string, PolicyKey>>) =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${path}.${key}`, value]));

/** A partition template is described once, wherever it stands. */
const TEMPLATE = {
  partitionTemplate: {
    means:
      'How its partitions are cut: up to seven tags or buckets, and one time. It cannot be changed later; a difference is reported.',
    without: "InfluxDB's own, one day",
  },
  'partitionTemplate[].type': { means: 'What this part is: a tag, a bucket of a tag, or a time.' },
  'partitionTemplate[].value': {
    means: 'The tag, the format of the time (of %Y, %m and %d), or the bucket.',
  },
  'partitionTemplate[].value.tagName': { means: 'The tag whose values go into buckets.' },
  'partitionTemplate[].value.numberOfBuckets': { means: 'How many buckets.' },
} as const satisfies Record<string, PolicyKey>;

/** Keys by their path: `[]` is each of a list, `<name>` any name. */
export const POLICY_KEYS: Readonly<Record<string, PolicyKey>> = {
  owner: {
    means:
      'A short name for this deployment. It names the stack, and marks the tokens and secrets that belong to it.',
  },

  cluster: { means: 'Which cluster, and how to be let in.' },
  'cluster.url': {
    means: 'URL of the Management API, and of the data plane unless dataUrl is set.',
  },
  'cluster.dataUrl': {
    means: 'URL of the data plane, if it is another host, as with Cloud Dedicated.',
    without: 'that of url',
  },
  'cluster.allowPlainHttp': {
    means:
      'Allows http, over which tokens travel unencrypted. Only in a trusted network, such as a mesh that encrypts.',
  },
  'cluster.managementToken': {
    means:
      "Name or ARN of the secret with the management token, in the stack's Region: the token alone, or JSON with token and expiresAt. Either this or oauth.",
    without: 'oauth gives the tokens',
  },
  'cluster.oauth': {
    means:
      'In place of a stored management token: a client of your identity provider, whose tokens the cluster takes. Not with Cloud Dedicated.',
    without: 'managementToken is the token',
  },
  'cluster.oauth.tokenUrl': { means: "Address of the identity provider's token endpoint." },
  'cluster.oauth.clientId': { means: 'Id of the client.' },
  'cluster.oauth.clientSecret': {
    means: "Name or ARN of the secret with the client's secret: a plain string, or JSON.",
  },
  'cluster.oauth.clientSecretField': {
    means: "Where the client's secret is in that JSON: a key, or a path such as db.secret.",
    default: 'clientSecret',
  },
  'cluster.oauth.scope': {
    means: 'Scopes to ask for, with spaces between them. Entra and Okta need one.',
    without: 'none is asked for',
  },
  'cluster.oauth.audience': {
    means: 'Audience to ask for. Auth0 needs it.',
    without: 'none is asked for',
  },
  'cluster.oauth.parameters': { means: 'What else the provider wants in the request.' },
  'cluster.oauth.authMethod': {
    means: "How the client's secret is sent: in the request's body, or in its header.",
  },
  'cluster.managementTokenKey': {
    means:
      'KMS key (ARN or alias) of the secret that managementToken or oauth.clientSecret names, if it is one of your own.',
    without: "AWS's own key",
  },
  'cluster.ca': {
    means:
      'PEM file with the certificates of your own authority, beside the policy file. It takes the place of the public ones, for both URLs.',
    without: 'the public ones',
  },
  'cluster.accountId': {
    means: 'Cloud Dedicated: id of the account.',
    without: 'the cluster is no Cloud Dedicated',
  },
  'cluster.clusterId': {
    means: 'Cloud Dedicated: id of the cluster.',
    without: 'the cluster is no Cloud Dedicated',
  },

  timeZone: {
    means: 'For windows, schedules and the days of approvals, by its name in the IANA database.',
  },
  schedules: {
    means: 'When the functions run: rate(…) or cron(…) of EventBridge Scheduler, in timeZone.',
  },
  'schedules.rotate': { means: 'When tokens are replaced that are due, missing or refused.' },
  'schedules.reap': { means: 'When what was replaced is retired, and orphans are deleted.' },
  'schedules.enforce': { means: 'When databases are held to their rules.' },
  'schedules.paused': { means: 'true stops all of them.' },

  defaults: {
    means: 'What tokens have that do not say it themselves.',
    without: 'the defaults of its keys',
  },
  ...under('defaults', LIFETIMES),

  tokens: { means: 'The tokens to rotate, by a name of your choice.' },
  ...under('tokens.<name>', OF_TOKEN),
  'tokens.<name>.description': {
    means: "For people: the text before Keyturn's marker in the token's description.",
    without: 'the name of the entry',
  },
  'tokens.<name>.permissions': { means: 'What the token may do.' },
  'tokens.<name>.permissions.read': {
    means: 'Databases that it may read, or "*" for all. No other globs.',
    without: 'nothing',
  },
  'tokens.<name>.permissions.write': {
    means: 'Databases that it may write, or "*" for all. No other globs.',
    without: 'nothing',
  },
  'tokens.<name>.secret': {
    means:
      "Name of the secret that consumers read. It is the token's identity: an entry that is renamed without it is a removal and an addition.",
    without: 'keyturn/<owner>/<name>',
  },
  'tokens.<name>.adopt': {
    means:
      'Takes over a token and its secret that are there, without rotating them before they are due.',
    without: 'a new token and a new secret are made',
  },
  'tokens.<name>.adopt.tokenId': { means: 'Id of that token.' },
  'tokens.<name>.adopt.key': {
    means: "Where its string is in the secret's JSON: a key, or a path such as db.token.",
    without: 'the whole string is the token',
  },

  databases: {
    means: 'Rules for databases. The first one that matches a database applies.',
    without: 'none',
  },
  'databases[].name': { means: 'Exactly this database.' },
  'databases[].match': {
    means: 'All databases of a glob: * is any text, ? is one character.',
  },
  'databases[].retention': {
    means:
      'How long data is kept: an hour or more, or infinite. Under match also {min, max}. To shorten it needs approve.',
    without: 'left alone',
  },
  'databases[].retention.min': { means: 'At least so long.', without: 'no bound' },
  'databases[].retention.max': { means: 'At most so long.', without: 'no bound' },
  'databases[].maxTables': {
    means: 'How many tables it may have. Under match also {min, max}.',
    without: 'left alone',
  },
  'databases[].maxTables.min': { means: 'At least so many.', without: 'no bound' },
  'databases[].maxTables.max': { means: 'At most so many.', without: 'no bound' },
  'databases[].maxColumnsPerTable': {
    means: 'How many columns each table may have. Under match also {min, max}.',
    without: 'left alone',
  },
  'databases[].maxColumnsPerTable.min': { means: 'At least so many.', without: 'no bound' },
  'databases[].maxColumnsPerTable.max': { means: 'At most so many.', without: 'no bound' },
  'databases[].ifMissing': { means: 'Whether a missing database is reported or made.' },
  ...under('databases[]', TEMPLATE),
  'databases[].tables': { means: 'Tables that are made with the database.' },
  'databases[].tables[].name': { means: 'Name of the table.' },
  ...under('databases[].tables[]', TEMPLATE),
  'databases[].mode': { means: 'report changes nothing, and says what is not as it should be.' },
  'databases[].approve': { means: 'What a person allows for a while.', without: 'nothing' },
  'databases[].approve.shortenRetentionUntil': {
    means:
      'Retention may be shortened, which hides data at once, until the end of that day in timeZone; at most a year ahead.',
  },

  onRemoval: {
    means:
      'What happens to a token whose entry is gone: it lives until it expires, or it is retired like one that was replaced.',
  },
  expiredForeignTokens: { means: 'What happens to expired tokens of others.' },
  limits: {
    means:
      'The most that one run may do of each kind: tokens taken away without a proven successor, tokens replaced because they are gone or refused, expired tokens of others deleted, databases reduced. The higher of both; what is more waits for an approval.',
  },
  'limits.percent': { means: 'Of all of them, in percent.' },
  'limits.tokens': { means: 'A number. With percent: 0, 0 allows none.' },
  activationTimeout: {
    means:
      'How long a run waits until probes accept a new token for the first time; after that a later run goes on.',
    default: '5m',
  },
  settle: {
    means:
      'How long an armed token waits before an ordinary rotation promotes it: 1m to 1d, and at most half of rotateEvery.',
    default: '10m',
  },
  concurrency: {
    means:
      'How many tokens a run works on at the same time; fewer where an ingress limits the rate of calls.',
  },
  secretWritesPerSecond: {
    means:
      'The most writes to Secrets Manager of each kind a second. It allows 50 for the whole account and Region.',
  },
  allowGracePeriodUnderAnHour: {
    means:
      'Allows a gracePeriod in which consumers that cache their secret for an hour are refused.',
  },
  encryptionKey: {
    means: 'KMS key (ARN or alias) of the secrets that Keyturn creates.',
    without: "AWS's own key",
  },
  trustedAccounts: {
    means:
      'Ids of other AWS accounts, in quotes, that may read secrets which somebody else made for Keyturn.',
  },
  eventBus: {
    means: "Name or ARN of the bus for Keyturn's events.",
    without: 'the default bus',
  },

  deployment: {
    means: 'Where and how the functions are deployed, and whom alarms tell.',
    without: 'the defaults of its keys',
  },
  'deployment.vpc': {
    means: 'The private network of the functions, by id or by tags.',
    without: 'none: they reach what the internet reaches',
  },
  'deployment.vpc.id': { means: 'Id of the VPC. Nothing is looked up at synthesis.' },
  'deployment.vpc.tags': {
    means: 'Tags that one VPC alone has. It is looked up when the stack is synthesized.',
  },
  'deployment.vpc.subnets': {
    means: 'Private subnets, better in two zones.',
    without: 'with tags: its private ones',
  },
  'deployment.vpc.securityGroups': {
    means: 'Security groups of the functions.',
    without: 'one is made, which lets everything out and nothing in',
  },
  'deployment.alarms': { means: 'Whom alarms tell.', without: 'nobody' },
  'deployment.alarms.topic': {
    means: "ARN of an SNS topic that exists, in the stack's Region.",
    without: 'emails get one',
  },
  'deployment.alarms.emails': {
    means: 'A topic is made for them. Each address must confirm its subscription once.',
    without: 'topic is told',
  },
  'deployment.alarms.ok': { means: 'Tells of the all-clear as well.' },
  'deployment.logs': {
    means: 'Of the log groups of the functions.',
    without: 'the defaults of its keys',
  },
  'deployment.logs.retention': {
    means: 'How long logs are kept: what CloudWatch Logs offers, or forever.',
    default: '90d',
  },
  'deployment.logs.key': {
    means: 'ARN of the KMS key that encrypts logs. Its policy must let CloudWatch Logs use it.',
    without: "AWS's own key",
  },
  'deployment.permissionsBoundary': {
    means: 'Name of a managed policy of this account, or its ARN: the boundary of every role.',
    without: 'none',
  },
  'deployment.tags': {
    means:
      'On all resources of the stack, and on the secrets that Keyturn creates. Numbers in quotes.',
    without: 'none',
  },
  'deployment.replicaRegions': {
    means:
      'Other Regions that get replicas of the secrets that Keyturn creates. Each costs as much as a secret.',
    without: 'none',
  },
  'deployment.replicaRegions[].region': { means: 'Name of the Region.' },
  'deployment.replicaRegions[].encryptionKey': {
    means: 'An alias, or the ARN of a KMS key of that Region.',
    without: "AWS's own key there",
  },
  'deployment.memory': {
    means: 'Of each function, in MB; more of it is more CPU too.',
    default: '512',
  },
  'deployment.reservedConcurrency': {
    means: 'The most runs of each function at once, taken from what the account may run.',
    without: 'none is reserved',
  },
  'deployment.terminationProtection': { means: 'Nobody destroys the stack by accident.' },
  'deployment.dashboard': { means: 'Whether a dashboard of CloudWatch is made.' },
  'deployment.metrics': {
    means:
      'What becomes metrics of CloudWatch, which have their price; with none, the alarms that look at them are missing.',
  },
};
