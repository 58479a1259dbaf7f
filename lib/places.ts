import { Stack, Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { hasUnknown } from './references.ts';
import { outermost } from './stack-order.ts';

/** Where a stack is deployed to, as far as it is known. */
export interface Place {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
}

export function placeOf({ account, region }: Place): Place {
  return {
    ...(!hasUnknown(account) && { account }),
    ...(!hasUnknown(region) && { region }),
  };
}

/** Whether two places are one. Undefined: they may be, as far as is known. */
export function isOnePlace(one: Place, other: Place): boolean | undefined {
  const same = (['account', 'region'] as const).map((key) =>
    one[key] === undefined || other[key] === undefined ? undefined : one[key] === other[key],
  );
  if (same.includes(false)) return false;
  return same.includes(undefined) ? undefined : true;
}

/** `111122223333/eu-west-1`, as far as it is known. */
export const placeInWords = ({ account, region }: Place): string =>
  [account, region].filter((each) => each !== undefined).join('/');

/** Whether two constructs go into one account and Region. Undefined: CDK does not know, and it may be. */
export function areTogether(one: Construct, other: Construct): boolean | undefined {
  if (outermost(Stack.of(one)) === outermost(Stack.of(other))) return true;
  const isOne = isOnePlace(placeOf(Stack.of(one)), placeOf(Stack.of(other)));
  // Stages are for several places.
  return isOne === undefined && Stage.of(one) !== Stage.of(other) ? false : isOne;
}
