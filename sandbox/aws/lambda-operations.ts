import { notFound } from './aws-error.ts';
import type { Store } from './store.ts';

/** Whoever runs functions answers for them at an address of their own: none is behind this one. */
function refuseMissing({ region, accountId }: Store, name: string): never {
  const arn = name.startsWith('arn:')
    ? name
    : `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  throw notFound(`Function not found: ${arn}`);
}

/** The default: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const RUNS = 1_000;

const accountSettings = () => ({
  AccountLimit: { ConcurrentExecutions: RUNS, UnreservedConcurrentExecutions: RUNS },
  AccountUsage: { FunctionCount: 0, TotalCodeSize: 0 },
});

/** Lambda speaks REST: by method and path, which may have the function's name in it, the operations. */
export const lambdaOperations: readonly {
  readonly method: string;
  readonly path: RegExp;
  readonly operation: string;
  readonly run: (store: Store, name: string) => object;
}[] = [
  {
    method: 'POST',
    path: /^\/2015-03-31\/functions\/([^/]+)\/invocations$/,
    operation: 'Invoke',
    run: refuseMissing,
  },
  {
    method: 'GET',
    path: /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
    operation: 'GetFunctionConfiguration',
    run: refuseMissing,
  },
  {
    method: 'GET',
    path: /^\/2015-03-31\/functions\/([^/]+)$/,
    operation: 'GetFunction',
    run: refuseMissing,
  },
  {
    method: 'GET',
    path: /^\/2016-08-19\/account-settings\/?$/,
    operation: 'GetAccountSettings',
    run: accountSettings,
  },
];
