import type { Cluster } from '../cluster/server.ts';
import type { Call, Interceptor, Reply } from '../interception.ts';
import { passThrough } from '../interception.ts';

/** Each makes the demonstration fail: see the README. */
export const SABOTAGES = ['revoke', 'grace', 'probe', 'acceptance', 'failure'] as const;

export type Sabotage = (typeof SABOTAGES)[number];

/** What the tokens of the demonstration may read or write. */
const DATABASES = ['telemetry', 'billing'];

/** As the data plane answers to a token that it accepts. */
const acceptance = ({ operation }: Call): Reply =>
  operation.startsWith('POST')
    ? { status: 204, body: '' }
    : {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: '{"results":[{"statement_id":0}]}',
      };

/** Consumers ask without a caller. */
const isProbe = ({ server, caller }: Call) => server === 'data-plane' && caller !== undefined;

type Answer = (...asked: Parameters<Interceptor>) => Reply;

/** As if functions promoted a token without probing it. */
const acceptEveryProbe: Answer = (call, effect) => (isProbe(call) ? acceptance(call) : effect());

/** As if functions promoted a token as soon as a router accepts it, whatever the others say, and whichever router they ask. */
function acceptByTheFirst({ acceptedBy }: Pick<Cluster, 'acceptedBy'>): Answer {
  const isAccepted = ({ operation, authorization = '' }: Call) => {
    const string = authorization.replace(/^\w+ /, '');
    const action = operation.startsWith('POST') ? 'write' : 'read';
    return DATABASES.some((database) => acceptedBy(string, action, database).length > 0);
  };
  return (call, effect) => (isProbe(call) && isAccepted(call) ? acceptance(call) : effect());
}

/** As if somebody had taken from the management token what `enforce` needs: no consumer notices. */
const refuseEnforce: Answer = ({ operation, caller }, effect) =>
  operation === 'GET /databases' && caller?.startsWith('enforce-')
    ? { status: 403, body: '{"code": 403, "message": "forbidden"}' }
    : effect();

const interceptor =
  (answer: Answer): Interceptor =>
  async (call, effect) =>
    answer(call, effect);

/** What a cluster does to the requests of functions under a sabotage. */
export function interceptorOf(
  sabotage: Sabotage | undefined,
  cluster: Pick<Cluster, 'acceptedBy'>,
): Interceptor {
  if (sabotage === 'probe') return interceptor(acceptEveryProbe);
  if (sabotage === 'failure') return interceptor(refuseEnforce);
  return sabotage === 'acceptance' ? interceptor(acceptByTheFirst(cluster)) : passThrough;
}
