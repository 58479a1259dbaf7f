import { placesOfCredentials, redact } from '../credentials.ts';
import type { PolicyIssue } from './policy-error.ts';

/**
 * The administrator's token of a cluster without an identity provider: two objects of JSON in base64 begin it. As the name of
 * a secret, it would have the right letters.
 */
const JWT = /eyJ[\w-]{8,1000}\.eyJ/;

export const holdsJwt = (text: string): boolean => JWT.test(text);

interface Cluster {
  readonly cluster?: { readonly managementToken?: unknown } | null;
}

function placeOfJwt(document: unknown): PropertyKey[][] {
  const found = (document as Cluster | null | undefined)?.cluster?.managementToken;
  return typeof found === 'string' && holdsJwt(found) ? [['cluster', 'managementToken']] : [];
}

/** Credentials in a policy document, which travels into templates, assets and logs. Nothing of them is quoted. */
export const misplacedCredentials = (document: unknown): PolicyIssue[] =>
  [...placesOfCredentials(document), ...placeOfJwt(document)].map((path) => ({
    path,
    message:
      'found the string of a token, expected none anywhere in a policy, where only names of secrets belong; take it out, and revoke it if anybody else can read this file: keyturn revoke --leaked',
  }));

/** A key or a sentence as it may be shown: without credentials. */
export const shownText = (text: string): string => redact(text);
