import type { InfluxError } from '../management-api/influx-error.ts';
import { sendsUnencrypted } from '../policy/policy.ts';
import type { Verdict } from './check.ts';

/** That somebody answers at an address, and how: what goes there without TLS, others on the way can read. */
export function answers(url: string, more = ''): Verdict {
  const { host, protocol } = new URL(url);
  if (protocol === 'https:') return { state: 'ok', found: `${host} answers, over TLS${more}` };
  const found = `${host} answers, without TLS${more}`;
  return sendsUnencrypted(url)
    ? {
        state: 'warn',
        found: `${found}: tokens go there in the clear (cluster.allowPlainHttp)`,
        advice: 'use https, unless the network itself encrypts',
      }
    : { state: 'ok', found };
}

/** That nobody does. */
export function noAnswer(url: string, { unanswered, message }: InfluxError): Verdict {
  const { what = message, advice } = unanswered ?? {};
  return { state: 'fail', found: `${new URL(url).host}: ${what}`, ...(advice && { advice }) };
}
