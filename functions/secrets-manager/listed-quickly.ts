import type { ListSecretsCommand, SecretListEntry } from '@aws-sdk/client-secrets-manager';
import type { Secret } from './secret.ts';
import { fromListing } from './secret-record.ts';

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown) => typeof value === 'string';
const isListOf = (value: unknown, fits: (item: unknown) => boolean) =>
  Array.isArray(value) && value.every(fits);

/** Of a `Date`, in seconds. */
const LATEST = 8.64e12;
/** Seconds since 1970. */
const isInstant = (value: unknown) => typeof value === 'number' && Math.abs(value) <= LATEST;

/** What is read of a secret, and how it mostly is. */
const USUAL = Object.entries({
  ARN: isText,
  Name: isText,
  KmsKeyId: isText,
  PrimaryRegion: isText,
  CreatedDate: isInstant,
  LastChangedDate: isInstant,
  DeletedDate: isInstant,
  Tags: (tags) => isListOf(tags, (tag) => isObject(tag) && isText(tag.Key) && isText(tag.Value)),
  SecretVersionsToStages: (stages) =>
    isObject(stages) && Object.values(stages).every((labels) => isListOf(labels, isText)),
} satisfies Partial<Record<keyof SecretListEntry, (value: unknown) => boolean>>);

/** Undefined: it has something unusual. */
function usualSecret(entry: unknown): Secret | undefined {
  if (!isObject(entry)) return undefined;
  for (const [field, fits] of USUAL) {
    const value = entry[field];
    if (value === undefined) continue;
    if (!fits(value)) return undefined;
    if (fits === isInstant) entry[field] = new Date(Math.round(Number(value) * 1_000));
  }
  return fromListing(entry);
}

/** The secrets of a page, and the rest of it as it came. Undefined: not all of it is as it mostly is. */
function taken(bytes: Buffer): { readonly secrets: Secret[]; readonly rest: Buffer } | undefined {
  try {
    const { SecretList, ...rest } = JSON.parse(bytes.toString());
    if (!Array.isArray(SecretList)) return undefined;
    const secrets: Secret[] = [];
    for (const entry of SecretList) {
      const secret = usualSecret(entry);
      if (!secret) return undefined;
      secrets.push(secret);
    }
    return { secrets, rest: Buffer.from(JSON.stringify(rest)) };
  } catch {
    return undefined; // the SDK says what is wrong
  }
}

/**
 * Reads the secrets of a page itself, which takes the SDK longer than all else that it does for a page, and leaves it the rest. A page
 * that has anything unusual the SDK reads as a whole.
 * @returns the secrets, once the call is answered; undefined: the SDK has read them
 */
export function readingQuickly(command: ListSecretsCommand): () => Secret[] | undefined {
  let secrets: Secret[] | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      secrets = undefined; // of an attempt that failed later
      const answer = await next(args);
      const response = Object(answer.response);
      const { statusCode, body } = response;
      const page = statusCode === 200 && Buffer.isBuffer(body) && taken(body);
      if (page) {
        secrets = page.secrets;
        response.body = page.rest;
      }
      return answer;
    },
    // After what sends it, before what reads it.
    { step: 'deserialize', priority: 'low' },
  );
  return () => secrets;
}
