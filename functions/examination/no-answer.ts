import type { InfluxError } from '../management-api/influx-error.ts';
import type { Verdict } from './check.ts';

/** What a code of a connection that failed means, what it is of, and what to do. The first that fits counts. */
const CAUSES: readonly (readonly [code: RegExp, what: string, advice: string])[] = [
  [
    /ENOTFOUND|EAI_AGAIN|EAI_/,
    'no address is known for this name',
    'correct it in the policy, or let the functions ask whoever knows it: a private zone must belong to their VPC (deployment.vpc)',
  ],
  [
    /ALTNAME/,
    'its certificate is for other names',
    'use a name that the certificate has in the policy, or get a certificate for this one',
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    'its certificate is not valid now',
    'renew the certificate of the cluster',
  ],
  [
    /CERT|SIGNATURE|ISSUER/,
    'nobody trusted vouches for its certificate',
    'name a PEM file with the certificates of its authority: cluster.ca in the policy, then deploy',
  ],
  [
    /EPROTO|ERR_SSL|HPE_|ERR_TLS/,
    'it does not speak what the address says',
    'check https or http, and the port, in the policy',
  ],
  [
    /ECONNREFUSED/,
    'nothing listens there',
    'check the port in the policy, and that the ingress of the cluster runs',
  ],
  [
    /CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/,
    'no way leads there',
    'check routes, NAT and security groups: in a private network the functions need deployment.vpc, and the cluster must let their security group in',
  ],
  [
    /TimeoutError|HEADERS_TIMEOUT|BODY_TIMEOUT/,
    'it took the request and did not answer in time',
    'look whether it is overloaded, or a proxy before it cannot reach it',
  ],
  [
    /ECONNRESET|UND_ERR_SOCKET|EPIPE/,
    'the connection was cut',
    'check https or http in the policy, and what stands between: a proxy or a firewall',
  ],
];

/** What it means that nobody answered at an address. */
export function noAnswer(url: string, { code = '', message }: InfluxError): Verdict {
  const { host } = new URL(url);
  const cause = CAUSES.find(([pattern]) => pattern.test(code));
  if (!cause) return { state: 'fail', found: `${host}: ${message}` };
  const [, what, advice] = cause;
  return { state: 'fail', found: `${host}: ${what} (${code})`, advice };
}
