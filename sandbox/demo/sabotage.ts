import type { Call, Interceptor, Reply } from '../interception.ts';
import { passThrough } from '../interception.ts';

/** Each makes the demonstration fail: see the README. */
export const SABOTAGES = ['revoke', 'grace', 'probe', 'acceptance', 'failure'] as const;

export type Sabotage = (typeof SABOTAGES)[number];

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

/** As if functions promoted a token after a router had accepted it, whatever the others say. */
function acceptAfterTheFirst(): Answer {
  const accepted = new Set<string | undefined>();
  return (call, effect) => {
    if (isProbe(call) && accepted.has(call.authorization)) return acceptance(call);
    const reply = effect();
    if (isProbe(call) && reply.status < 300) accepted.add(call.authorization);
    return reply;
  };
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
export function interceptorOf(sabotage: Sabotage | undefined): Interceptor {
  if (sabotage === 'probe') return interceptor(acceptEveryProbe);
  if (sabotage === 'failure') return interceptor(refuseEnforce);
  return sabotage === 'acceptance' ? interceptor(acceptAfterTheFirst()) : passThrough;
}
