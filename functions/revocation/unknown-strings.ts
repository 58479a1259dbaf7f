import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';
import type { Holder, ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import type { SeenAlone } from './observe.ts';
import { type Doubt, type Proving, readUnknown, unknownMayWork } from './verify-refused.ts';

/** A version whose string the order does not end. */
export interface UnknownString {
  readonly version: string;
  /** One of its labels, or that it has none. */
  readonly label: string;
  /** Whose string it is, if that is known. */
  readonly holder: Others;
}

type Others = Extract<Holder, { readonly state: 'unknown' | 'shared' | 'foreign' | 'gone' }>;

const isOthers = (holder: Holder): holder is Others =>
  ['unknown', 'shared', 'foreign', 'gone'].includes(holder.state);

/** Labelled versions with a string that is no token's of this secret, each with one of its labels. */
export function underLabels({ secret, holders }: ObservedSecret): readonly UnknownString[] {
  // A label of AWS's own, if the version has one, comes last and wins.
  const labels = Object.entries(secret.labels).sort(([a]) => (a.startsWith('AWS') ? 1 : -1));
  const byVersion = new Map(labels.map(([label, version]) => [version, label]));
  return [...byVersion].flatMap(([version, label]) => {
    const holder = holders.get(version);
    // The order ends those of foreign tokens, and what is gone has a row.
    const isLeft = holder?.state === 'unknown' || holder?.state === 'shared';
    return isLeft ? [{ version, label, holder }] : [];
  });
}

/**
 * The same for versions whose labels went on: each save, and each promotion, takes a label off, and none ends a string.
 * @param isMeant whether to ask about a version
 * @param look the secret as it is now, with these versions
 */
export async function withoutLabel(
  name: string,
  isMeant: (version: string) => boolean,
  look: (versions: readonly string[]) => Promise<SeenAlone | undefined>,
  { secrets }: Pick<Tools, 'secrets'>,
): Promise<readonly UnknownString[]> {
  const versions = [...(await secrets.versionTimes(name)).keys()].filter(isMeant);
  const seen = versions.length > 0 ? await look(versions) : undefined;
  const labelled = new Set(Object.values(seen?.secret.labels ?? {}));
  return versions.flatMap((version) => {
    const holder = labelled.has(version) ? undefined : seen?.holders.get(version);
    return holder && isOthers(holder) ? [{ version, label: 'no label', holder }] : [];
  });
}

/** Whose a string is, and what ends it; of a token that is gone, what proves that it is dead. */
function whose(
  { version, label, holder }: UnknownString,
  owner: OwnedToken | undefined,
  { provableWhen }: Doubt,
) {
  const where = `version ${version} (${label})`;
  if (owner) {
    const { token, marker } = owner;
    return {
      said: `${where} has the string of ${token.id}, a token of ${marker.secret} that this order does not end`,
      advice: `to end it, give this order for ${marker.secret}, too`,
    };
  }
  if (holder.state === 'gone') {
    return {
      said: `${where} has the string of a token that was ended before`,
      advice:
        provableWhen === undefined
          ? 'to end it, restart the router that never heard of it'
          : `to prove it dead, give the same order again when ${provableWhen}`,
    };
  }
  if (holder.state !== 'foreign') {
    return {
      said: `nobody knows whose string ${where} has`,
      advice:
        'to end it, name its token by its id; way "whois" lists the tokens that the string may be of',
    };
  }
  return {
    said: `${where} has the string of ${holder.token.id}, a token without our marker that this order does not end`,
    advice: 'to end it, name it by its id',
  };
}

/** What is known beside the secret itself. */
interface Around {
  /** The token of ours, of whatever secret, whose string has this fingerprint. */
  ownerOf(fingerprint: string): OwnedToken | undefined;
  /** Whether the order ends the tokens of another secret, and proves it there. */
  isEnded(secret: string): boolean;
}

/** Which of these strings may still work, in sentences. Empty: the cluster refuses all of them. */
export async function mayWork(
  name: string,
  strings: readonly UnknownString[],
  { ownerOf, isEnded }: Around,
  { proving, tools }: { readonly proving: Proving; readonly tools: Tools },
): Promise<string[]> {
  const answers = new Map<string, Promise<Doubt | undefined>>();
  const ask = (value: TokenValue, isMinted: boolean) => {
    const key = `${value.fingerprint()} ${isMinted}`; // many versions may have the same string
    const answer = answers.get(key) ?? unknownMayWork(value, name, isMinted, proving, tools);
    answers.set(key, answer);
    return answer;
  };
  const found = strings.map(async (each): Promise<string[]> => {
    const { holder, version } = each;
    const value = await readUnknown({ secret: name, version }, tools);
    const isText = typeof value === 'string';
    const byString = isText ? undefined : ownerOf(value.fingerprint());
    const owner = holder.state === 'shared' ? holder.owned : byString;
    if (owner && isEnded(owner.marker.secret)) return [];
    const doubt = isText
      ? { why: value, provableWhen: 'it can be read' }
      : await ask(value, holder.state === 'gone' && !holder.adopted);
    if (!doubt) return [];
    const { said, advice } = whose(each, owner, doubt);
    return [`${name}: ${said}, and ${doubt.why}; ${advice}`];
  });
  return (await Promise.all(found)).flat();
}
