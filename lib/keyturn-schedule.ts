import { Duration, Stack, TimeZone } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface KeyturnScheduleProps {
  readonly target: IFunction;
  /** EventBridge expression such as `rate(5 minutes)`. */
  readonly expression: string;
  readonly timeZone: string;
  readonly paused: boolean;
  readonly description: string;
  /** Receives invocations that could not be delivered. */
  readonly failures: IQueue;
}

/** A rate of hours or days names no minute: many clusters need not start in the same minute. */
function timeWindow(expression: string): TimeWindow {
  return /^rate\(\d+ (?:hour|day)s?\)$/.test(expression)
    ? TimeWindow.flexible(Duration.minutes(15))
    : TimeWindow.off();
}

/** An EventBridge schedule that invokes one function. */
export class KeyturnSchedule extends Construct {
  constructor(scope: Construct, id: string, props: KeyturnScheduleProps) {
    super(scope, id);
    const { target, failures } = props;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const mayInvoke = role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [target.functionArn],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failures.queueArn] }),
    );
    const schedule = new Schedule(this, 'Schedule', {
      description: props.description,
      schedule: ScheduleExpression.expression(props.expression, TimeZone.of(props.timeZone)),
      timeWindow: timeWindow(props.expression),
      enabled: !props.paused,
      target: new LambdaInvoke(target, {
        role: role.withoutPolicyUpdates(),
        input: ScheduleTargetInput.fromObject({}),
        deadLetterQueue: failures,
        retryAttempts: 3,
        maxEventAge: Duration.minutes(15),
      }),
    });
    if (mayInvoke.policyDependable) schedule.node.addDependency(mayInvoke.policyDependable);
  }
}
