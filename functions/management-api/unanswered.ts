/** Why nobody answered, and what to do. Both are for people. */
export interface Unanswered {
  readonly what: string;
  readonly advice: string | undefined;
}

const ADDRESS = 'check https or http, and the port, in its address';

/** What a code of a connection that failed means, what it is of, and what to do. The first that fits counts. */
const CAUSES: readonly (readonly [code: RegExp, what: string, advice: string])[] = [
  [
    /EAI_|ENOTFOUND/,
    'no address is known for this name',
    'correct it, or let the functions ask whoever knows it: a private zone must belong to their VPC (deployment.vpc)',
  ],
  [
    /ALTNAME/,
    'its certificate is for other names',
    'use a name that the certificate has, or get a certificate for this one',
  ],
  [
    /CERT_HAS_EXPIRED|NOT_YET_VALID/,
    'its certificate is not valid now',
    'renew the certificate of the cluster',
  ],
  [
    /CERT|SIGNATURE|ISSUER/,
    'nobody trusted vouches for its certificate',
    'name a PEM file with the certificates of its authority in cluster.ca',
  ],
  [/WRONG_VERSION/, 'what listens there speaks no TLS, which https needs', ADDRESS],
  [
    /ALERT/,
    'it refuses the TLS of this client',
    'look which versions of TLS and which client certificates it asks for, or a proxy before it',
  ],
  [/EPROTO|SSL|HPE_|HTTPParser|ERR_TLS/, 'it does not speak what the address says', ADDRESS],
  [
    /ECONNREFUSED/,
    'nothing listens there',
    'check the port, and that the ingress of the cluster runs',
  ],
  [
    /CONNECT_TIMEOUT|ETIMEDOUT|UNREACH|EADDRNOTAVAIL/,
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
    'check https or http in its address, and what stands between: a proxy or a firewall',
  ],
];

/** Undefined: nothing is known of that code. */
export function unanswered(code: string): Unanswered | undefined {
  const cause = CAUSES.find(([pattern]) => pattern.test(code));
  if (!cause) return undefined;
  const [, what, advice] = cause;
  return { what: `${what} (${code})`, advice };
}
