import { Duration, PhysicalName, Stack, TimeZone } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { firingsOf, windowMinutes } from './schedule/gaps.ts';

export interface KeyturnScheduleProps {
  /** Known to people and to the function: neither searches for a generated one. */
  readonly name: string;
  readonly target: IFunction;
  /** EventBridge expression such as `rate(30 minutes)`. */
  readonly expression: string;
  readonly timeZone: string;
  readonly paused: boolean;
  readonly description: string;
  /** Receives invocations that could not be delivered. */
  readonly failures: IQueue;
}

/**
 * The event of a scheduled run: when it was to fire, and the least number of seconds from then to the next
 * firing, by which the run ends, and the most to the third (`scheduledSchema` in functions/run/request.ts). The instant is that of the
 * schedule, whenever in the flexible window it fires, and however often its delivery is tried.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
const eventOf = (expression: string, timeZone: string): object => ({
  scheduled: { at: ContextAttribute.scheduledTime, ...firingsOf(expression, timeZone) },
});

/** An EventBridge schedule that invokes one function. */
export class KeyturnSchedule extends Construct {
  readonly arn: string;
  /** Whoever changes the schedule passes it on. */
  readonly role: Role;
  constructor(scope: Construct, id: string, props: KeyturnScheduleProps) {
    super(scope, id);
    const { target, failures, expression, timeZone } = props;
    const window = windowMinutes(expression);
    this.role = new Role(this, 'Role', {
      // A person's role in a stack of another Region names it (`grantOperate`).
      roleName: PhysicalName.GENERATE_IF_NEEDED,
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const mayInvoke = this.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [target.functionArn],
      }),
    );
    this.role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failures.queueArn] }),
    );
    const schedule = new Schedule(this, 'Schedule', {
      scheduleName: props.name,
      description: props.description,
      schedule: ScheduleExpression.expression(expression, TimeZone.of(timeZone)),
      timeWindow: window > 0 ? TimeWindow.flexible(Duration.minutes(window)) : TimeWindow.off(),
      enabled: !props.paused,
      target: new LambdaInvoke(target, {
        role: this.role.withoutPolicyUpdates(),
        input: ScheduleTargetInput.fromObject(eventOf(expression, timeZone)),
        deadLetterQueue: failures,
        retryAttempts: 3,
        maxEventAge: Duration.minutes(15),
      }),
    });
    // By its name: the policy of a role in a stack that this one needs may say it.
    this.arn = Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `default/${props.name}`,
    });
    if (mayInvoke.policyDependable) schedule.node.addDependency(mayInvoke.policyDependable);
  }
}
