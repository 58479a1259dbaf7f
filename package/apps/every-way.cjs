/** What apps do with the constructs, as `cdk init --language javascript` would begin one. */
const { Keyturn, KeyturnStack, SoleWriter } = require('@keyturn/cdk');
const { App, Stack, Stage } = require('aws-cdk-lib');
const { Vpc } = require('aws-cdk-lib/aws-ec2');
const { Alias, Key } = require('aws-cdk-lib/aws-kms');
const { Topic } = require('aws-cdk-lib/aws-sns');

const app = new App();
const env = { account: '111122223333', region: 'eu-central-1' };

// In a stage, with the certificates of an authority, and with a resource policy on one of its secrets.
const stage = new Stage(app, 'Production', { env });
const staged = new KeyturnStack(stage, 'Keyturn', { policy: 'north.yaml' });
new SoleWriter(staged, 'Telegraf', {
  keyturn: staged.keyturn,
  secretId: 'keyturn/north/telegraf',
  people: ['arn:aws:iam::111122223333:role/on-call'],
});

// Two clusters in one stack, in any account, which share a recipient of alarms.
const clusters = new Stack(app, 'Clusters');
const alarmTopic = new Topic(clusters, 'Alarms');
new Keyturn(clusters, 'North', { policy: 'north.yaml', alarmTopic });
new Keyturn(clusters, 'South', { policy: 'south.yaml', alarmTopic });

// In a VPC.
const network = new Stack(app, 'Private', { env });
new Keyturn(network, 'Keyturn', { policy: 'west.yaml', vpc: new Vpc(network, 'Vpc') });

// With keys that are made in the same app: one by itself, one by an alias.
const encrypted = new Stack(app, 'Encrypted', { env });
new Keyturn(encrypted, 'Keyturn', {
  policy: 'east.yaml',
  encryptionKey: new Key(encrypted, 'Secrets'),
  managementTokenKey: new Alias(encrypted, 'Alias', {
    aliasName: 'alias/management',
    targetKey: new Key(encrypted, 'Management'),
  }),
});
