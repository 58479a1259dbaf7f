import * as z from 'zod/mini';
import { parseEvent } from '../run/request.ts';

export const REVOCATION_WAYS = [
  'replace',
  'freeze',
  'unfreeze',
  'delete',
  'lift',
  'restore',
  'whois',
] as const;

/**
 * `replace`: a successor is promoted, then all other tokens of the secret are deleted. `freeze`: the
 * permissions are taken away until `unfreeze`. `delete`: all tokens are deleted, and none is minted until
 * `lift`. `restore` undoes a quarantine. `whois` finds tokens and changes nothing.
 */
export type RevocationWay = (typeof REVOCATION_WAYS)[number];

const SELECTORS = ['token', 'tokenId', 'secret', 'database', 'all', 'fingerprint'] as const;

const text = (what: string) => z.string().check(z.trim(), z.minLength(1, what));
const yes = z.optional(z.literal(true, 'true'));

const eventSchema = z
  .strictObject({
    way: z._default(z.enum(REVOCATION_WAYS), 'replace'),
    /** A token's name in the policy. */
    token: z.optional(text('a token name')),
    /** The id of any token, also of a foreign one, or at least its first 8 characters. */
    tokenId: z.optional(text('a token id')),
    /** A secret's name or ARN. */
    secret: z.optional(text('the name or ARN of a secret')),
    /** A database: all secrets whose tokens can read or write it. */
    database: z.optional(text('a database name')),
    all: yes,
    /** First 16 hex digits of SHA-256 of a token string. */
    fingerprint: z.optional(
      z.string().check(z.regex(/^[0-9a-f]{16}$/, '16 hex digits of SHA-256')),
    ),
    /** Ends the old tokens before there is a successor: until then consumers have no token that works. */
    immediately: z._default(z.boolean(), false),
    /** Goes on though Secrets Manager shows no secret of the owner, or not that of the token. */
    withoutSecrets: z._default(z.boolean(), false),
    /** `plan.hash` of the dry run that a person confirmed: another plan is refused. */
    plan: z.optional(z.string().check(z.regex(/^[0-9a-f]{16}$/, 'a hash of 16 hex digits'))),
    /** Who gives the order, as they say; a hold shows it. */
    by: z.optional(text('a name')),
    /** For people; shown in the log, in the events, and by a hold. */
    reason: z.optional(text('a reason')),
    /** The host name of the cluster, to confirm `all`. */
    confirm: z.optional(z.string()),
    /** Answer with what would be done, and change nothing. */
    dryRun: z._default(z.boolean(), false),
    /** Freeze even if the permissions cannot be kept for unfreezing. */
    noUndo: z._default(z.boolean(), false),
  })
  .check(
    z.refine(
      (event) => SELECTORS.filter((key) => event[key] !== undefined).length === 1,
      `exactly one of ${SELECTORS.join(', ')}`,
    ),
    z.refine(
      ({ way, dryRun, reason }) => dryRun || way === 'whois' || reason !== undefined,
      'a reason is required, unless it is a dry run',
    ),
    z.refine(
      ({ way, immediately }) => !immediately || way === 'replace',
      'immediately is allowed only with "way": "replace"',
    ),
    z.refine(
      ({ way, noUndo }) => !noUndo || way === 'freeze',
      'noUndo is allowed only with "way": "freeze"',
    ),
  );

/** The event of an invocation, as JSON. */
export type RevocationEvent = z.input<typeof eventSchema>;

/** Which tokens an order is about. */
export type Selector =
  | { readonly kind: 'token'; readonly name: string }
  /** It may be the beginning of an id, until the tokens are listed. */
  | { readonly kind: 'tokenId'; readonly id: string }
  | { readonly kind: 'secret'; readonly nameOrArn: string }
  | { readonly kind: 'database'; readonly name: string }
  | { readonly kind: 'all' }
  | { readonly kind: 'fingerprint'; readonly fingerprint: string };

/** A checked order. */
export interface RevocationRequest {
  readonly way: RevocationWay;
  readonly selector: Selector;
  readonly immediately: boolean;
  readonly reason?: string;
  readonly by?: string;
  readonly plan?: string;
  readonly confirm?: string;
  readonly dryRun: boolean;
  readonly noUndo: boolean;
  readonly withoutSecrets: boolean;
}

function selectorOf(event: z.output<typeof eventSchema>): Selector {
  const { token, tokenId, secret, database, fingerprint } = event;
  if (token !== undefined) return { kind: 'token', name: token };
  if (tokenId !== undefined) return { kind: 'tokenId', id: tokenId.toLowerCase() };
  if (secret !== undefined) return { kind: 'secret', nameOrArn: secret };
  if (database !== undefined) return { kind: 'database', name: database };
  return fingerprint === undefined ? { kind: 'all' } : { kind: 'fingerprint', fingerprint };
}

/** @throws RequestError naming every key that is wrong */
export function parseRevokeRequest(event: unknown): RevocationRequest {
  const parsed = parseEvent(eventSchema, event);
  const { way, immediately, reason, by, plan, confirm, dryRun, noUndo, withoutSecrets } = parsed;
  return {
    way,
    selector: selectorOf(parsed),
    immediately,
    ...(reason !== undefined && { reason }),
    ...(by !== undefined && { by }),
    ...(plan !== undefined && { plan }),
    ...(confirm !== undefined && { confirm }),
    dryRun,
    noUndo,
    withoutSecrets,
  };
}
