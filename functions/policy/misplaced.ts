import { holdsCredential, placesOfCredentials, redact } from '../credentials.ts';
import type { PolicyIssue } from './policy-error.ts';

/**
 * The administrator's token of a cluster without an identity provider: two objects of JSON in base64 begin it. As the name of
 * a secret, it would have the right letters.
 */
const JWT = /eyJ[\w-]{8,1000}\.eyJ/;

export const holdsJwt = (text: string): boolean => JWT.test(text);

interface Cluster {
  readonly cluster?: {
    readonly managementToken?: unknown;
    readonly oauth?: { readonly clientSecret?: unknown } | null;
  } | null;
}

/** No name of a secret has these characters of three kinds in a row without a word: providers make clients' secrets so. */
const CLIENT_SECRET = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w.~-]{30,}$/;

/** What has the letters of a secret's name, or stands in its place. */
function placesInNames(document: unknown): PropertyKey[][] {
  const { cluster } = Object(document) as Cluster;
  const name = cluster?.managementToken;
  const client = cluster?.oauth?.clientSecret;
  const isUnknown = (text: unknown) => typeof text === 'string' && !holdsCredential(text);
  const isClient = isUnknown(client) && CLIENT_SECRET.test(`${client}`);
  return [
    ...(isUnknown(name) && holdsJwt(`${name}`) ? [['cluster', 'managementToken']] : []),
    ...(isClient ? [['cluster', 'oauth', 'clientSecret']] : []),
  ];
}

/** Credentials in a policy document, which travels into templates, assets and logs. Nothing of them is quoted. */
export const misplacedCredentials = (document: unknown): PolicyIssue[] =>
  [...placesOfCredentials(document), ...placesInNames(document)].map((path) => ({
    path,
    message:
      'found the string of a token, expected none anywhere in a policy, where only names of secrets belong; take it out, and revoke it if anybody else can read this file: keyturn revoke --leaked',
  }));

/** A key or a sentence as it may be shown: without credentials. */
export const shownText = (text: string): string => redact(text);
