import type { Permission } from '../../../functions/management-api/token.ts';
import { formatInstant } from '../../../functions/time.ts';
import { oneLine } from '../../harmless.ts';
import { formatRoughly } from '../revocation-text.ts';
import type { FoundToken, SecretPlace } from './found.ts';
import type { TokenFlags } from './judge-token.ts';
import { comment, commentedOut, list, scalar } from './yaml-text.ts';

const INDENT = '  ';
/** A policy takes no longer one. */
const LONGEST_DESCRIPTION = 400;

/** No secret can have this name, so that nobody deploys it by accident. */
const UNNAMED_SECRET = '<name of the secret that has its string>';

function permissionLines(permissions: readonly Permission[]): string[] {
  const indent = `${INDENT}${INDENT}`;
  const linesOf = (action: string) => {
    const names = permissions
      .filter((each) => each.action === action)
      .map(({ resource }) => resource);
    const unique = [...new Set(names)].sort();
    return unique.length === 0 ? [] : list(action, unique, `${indent}${INDENT}`);
  };
  return [`${indent}permissions:`, ...linesOf('read'), ...linesOf('write')];
}

function entryLines(name: string, token: FoundToken, place: SecretPlace | undefined): string[] {
  const indent = `${INDENT}${INDENT}`;
  const { id, description, permissions, isPlanned } = token;
  const text = oneLine(description).trim().slice(0, LONGEST_DESCRIPTION).toWellFormed();
  const key = place?.key === undefined ? '' : `, key: ${scalar(place.key)}`;
  return [
    `${INDENT}${scalar(name)}:`,
    ...(text === '' ? [] : [`${indent}description: ${scalar(text)}`]),
    ...(isPlanned
      ? []
      : [
          `${indent}secret: ${scalar(place?.name ?? UNNAMED_SECRET)}`,
          `${indent}adopt: { tokenId: ${id}${key} }`,
        ]),
    ...permissionLines(permissions),
  ];
}

const day = (instant: number) => formatInstant(instant).slice(0, 10);

/** When it was made and until when it lives, as far as anybody says. */
function lifeOf({ id, createdAt, expiresAt }: FoundToken): string {
  const made = createdAt === undefined ? '' : `, made ${day(createdAt)}`;
  return `token ${id}${made}${expiresAt === undefined ? '' : `, expires ${formatInstant(expiresAt)}`}`;
}

/** What a person should know of a token, one sentence each. */
function* warningsOf(
  { immortal, expiresSoon, everywhere, missing }: TokenFlags,
  name: string,
): Generator<string> {
  if (immortal) yield '! never expires; its successors will, when it is taken over';
  if (expiresSoon !== undefined) {
    yield `! expires in ${formatRoughly(expiresSoon)}: it is replaced as soon as it is taken over`;
  }
  if (everywhere.length > 0) yield `! may ${everywhere.join(' and ')} every database ("*")`;
  if (everywhere.length > 1) {
    yield `  so nothing can prove that the string is its own; confirm it: keyturn adopt ${name} --confirm`;
  }
  if (missing.length > 0) {
    yield `! has a permission on what is not there: ${missing.join(', ')}; it is kept here, because taking it out replaces the token`;
  }
}

/** The entry of one token, as comments unless its secret is known. */
export function tokenLines(
  name: string,
  token: FoundToken,
  { place, flags }: { readonly place: SecretPlace | undefined; readonly flags: TokenFlags },
): string[] {
  const sentences = token.isPlanned
    ? [`${token.id} is not there yet: without its "# ", and out of Terraform, Keyturn mints it`]
    : [lifeOf(token), ...warningsOf(flags, name)];
  const notes = sentences.map((each) => comment(each, INDENT));
  const entry = entryLines(name, token, place);
  return [...notes, ...(place ? entry : commentedOut(entry, INDENT))];
}

/** One line for a token that has no entry. */
export const tokenNote = (token: FoundToken, why?: string): string => {
  const { description } = token;
  const text = description === '' ? '' : ` ${JSON.stringify(description)}`;
  return comment(`  ${lifeOf(token)}${text}${why === undefined ? '' : `: ${why}`}`, INDENT);
};
