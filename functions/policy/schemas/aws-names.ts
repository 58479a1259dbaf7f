import * as z from 'zod/mini';
import { OWN_CHARACTERS } from '../aws-names.ts';

/** A name that goes into the policies of roles, where `*`, `?` and `${` would match others too. */
const name = (pattern: string, what: string) =>
  z.string(what).check(z.regex(new RegExp(`^(?:${pattern})$`), what));

const arn = (service: string, resource: string) =>
  `arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}`;

// Characters and length: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
const SECRET = '[A-Za-z0-9/_+=.@-]{1,512}';
export const secretName = name(SECRET, 'a secret name: letters, digits and /_+=.@-, at most 512');

/** An ARN may end in the hyphen and six characters that Secrets Manager adds. */
export const secretReference = name(
  `${SECRET}|${arn('secretsmanager', `secret:${SECRET}(?:${OWN_CHARACTERS})?`)}`,
  'the name of a secret (letters, digits and /_+=.@-, at most 512) or its ARN, whole and without wildcards',
);

// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
const ALIAS = 'alias/(?!aws/)[A-Za-z0-9/_-]{1,250}';
export const kmsKey = name(
  `${ALIAS}|${arn('kms', `(?:key/[A-Za-z0-9-]{1,64}|${ALIAS})`)}`,
  "the ARN of a KMS key (arn:aws:kms:eu-west-1:111122223333:key/<id>) or an alias such as alias/tokens; leave it out for AWS's own key",
);

// A slash is for partners' buses, to which nobody else may send.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
const BUS = '[A-Za-z0-9._-]{1,256}';
export const eventBusName = name(
  `${BUS}|${arn('events', `event-bus/${BUS}`)}`,
  'the name of a bus (letters, digits and "._-", at most 256) or its ARN',
);
