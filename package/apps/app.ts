import { Keyturn } from '@keyturn/cdk';
import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Topic } from 'aws-cdk-lib/aws-sns';

const app = new App();
const env = { account: '111122223333', region: 'eu-central-1' };
const stack = new Stack(app, 'Keyturn-prod', { env });
new Keyturn(stack, 'Keyturn', {
  policy: 'keyturn.yaml',
  vpc: Vpc.fromLookup(stack, 'Vpc', { vpcName: 'influxdb' }),
  alarmTopic: Topic.fromTopicArn(stack, 'OnCall', 'arn:aws:sns:eu-central-1:111122223333:on-call'),
});
