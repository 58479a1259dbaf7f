import { InfluxError } from '../management-api/influx-error.ts';
import type { LookTools } from '../run/look-tools.ts';
import { TokenValue } from '../token-value.ts';
import { answers, noAnswer } from './answers.ts';
import { type Check, examined, type Verdict } from './check.ts';

/** No token at all: the data plane is asked whether it is there, and gets no credential for it. */
const NO_TOKEN = new TokenValue('keyturn-doctor');
/** As a probe asks (functions/data-plane/judge.ts). */
const QUERY = { db: 'keyturn', q: 'SELECT * FROM dummy WHERE time > now()' };

const ELSE = 'check cluster.url and cluster.dataUrl: a proxy or a login page may stand there';

function refused(host: string, url: string, error: InfluxError): Verdict {
  const { status, foreignBody } = error;
  if (status === undefined) return noAnswer(url, error);
  if (foreignBody || status === 404) {
    const found = `${host} answers ${status}, and not as InfluxDB does`;
    return { state: 'fail', found, advice: ELSE };
  }
  if (status === 401 || status === 403) {
    return answers(url, ', and refuses what is no token');
  }
  return { state: 'fail', found: `${host}: ${error.message}`, advice: 'look at the cluster' };
}

/** Looks whether the data plane answers, and refuses a string that is no token: what it accepts proves nothing else. */
export const examineDataPlane = ({ policy: { cluster }, send }: LookTools): Promise<Check> =>
  examined('data plane', async () => {
    const url = cluster.dataUrl ?? cluster.url;
    const { host } = new URL(url);
    try {
      const request = { method: 'GET', path: '/query', query: QUERY, token: NO_TOKEN } as const;
      const { status } = await send('dataPlane', request);
      return {
        state: 'fail',
        found: `${host} answers ${status} to a string that is no token, so no proof of a token is worth anything`,
        advice: ELSE,
      };
    } catch (error) {
      if (!(error instanceof InfluxError)) throw error;
      return refused(host, url, error);
    }
  });
