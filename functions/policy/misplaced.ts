import { placesOfCredentials, redact } from '../credentials.ts';
import type { PolicyIssue } from './policy-error.ts';

/** Credentials in a policy document, which travels into templates, assets and logs. Nothing of them is quoted. */
export const misplacedCredentials = (document: unknown): PolicyIssue[] =>
  placesOfCredentials(document).map((path) => ({
    path,
    message:
      'found the string of a token, expected none anywhere in a policy, where only names of secrets belong; take it out, and revoke it if anybody else can read this file: keyturn revoke --leaked',
  }));

/** A key or a sentence as it may be shown: without credentials. */
export const shownText = (text: string): string => redact(text);
