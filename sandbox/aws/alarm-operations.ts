import type { Operation } from './request.ts';

/** CloudWatch of an account in which no stack is deployed. */
export const alarmOperations: Readonly<Record<string, Operation>> = {
  DescribeAlarms: () => ({ MetricAlarms: [], CompositeAlarms: [] }),
};
