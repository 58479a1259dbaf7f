import type { Tools } from '../run/tools.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { type ShownPolicy, UnreadableSecretError } from '../secrets-manager/secrets.ts';
import type { ObservedSecret } from './observation.ts';
import { type Insiders, outsidersOf, StrangePolicyError } from './outsiders.ts';

/** A secret could be read from outside this account, or nobody can tell. Nothing was minted for it. */
export class OutsiderError extends Error {
  override readonly name = 'OutsiderError';
  /** Nobody could look: that says nothing of the secret, but of who asked. */
  readonly isUnseen: boolean;

  constructor(message: string, isUnseen = false) {
    super(message);
    this.isUnseen = isUnseen;
  }
}

/**
 * Whether this deployment has put a value into the secret before: the string of a token that it minted for it stands
 * there, in whatever version people saved it. Who made the secret could choose the id of a version, and no such string.
 */
const hasValueOfOurs = ({ holders }: Pick<ObservedSecret, 'holders'>): boolean =>
  [...holders.values()].some(
    (holder) => holder.state === 'owned' && holder.owned.marker.adopted === undefined,
  );

/** The key that the policy file names, and the account's default key, are nobody else's choice. */
const isChosen = (key: string, own: string | undefined): boolean =>
  /(?:^|:)alias\/aws\/secretsmanager$/.test(key) ||
  (own !== undefined && (key === own || key.endsWith(`:${own}`)));

interface Looked {
  /** `its resource policy`, `the policy of its key …`. */
  readonly what: string;
  /** How to see it. */
  readonly how: string;
  readonly read: () => Promise<ShownPolicy | undefined>;
}

/** Undefined: it has none. What is refused is told apart from that. */
async function resourcePolicyOf(
  name: string,
  { secrets }: Pick<Tools, 'secrets'>,
): Promise<ShownPolicy | undefined> {
  try {
    const policy = await secrets.resourcePolicy(name);
    return policy === undefined ? undefined : { policy };
  } catch (error) {
    if (!(error instanceof UnreadableSecretError)) throw error;
    return { refusal: error.message };
  }
}

function looksAt({ name, key }: Secret, tools: Tools): Looked[] {
  const { keyPolicy, policy } = tools;
  const ofSecret = {
    what: 'its resource policy',
    how: `aws secretsmanager get-resource-policy --secret-id ${name}`,
    read: () => resourcePolicyOf(name, tools),
  };
  if (key === undefined || isChosen(key, policy.encryptionKey)) return [ofSecret];
  const how = `aws kms get-key-policy --key-id ${key}`;
  return [ofSecret, { what: `the policy of its key ${key}`, how, read: () => keyPolicy(key) }];
}

/** Why one policy keeps the value out; undefined: it names nobody outside. */
function objection({ what, how }: Looked, policy: string, insiders: Insiders): string | undefined {
  try {
    const found = outsidersOf(policy, insiders);
    if (found.length === 0) return undefined;
    const others = found
      .map((each) => /[0-9]{12}/.exec(each)?.[0])
      .filter((id) => id !== undefined);
    const trust =
      others.length > 0
        ? `; if that account may have this token, name it in the policy file: trustedAccounts: ["${others[0]}"]`
        : '';
    return `${what} allows ${found.join(', ')}, which is outside account ${insiders.account}; take that statement out (${how})${trust}`;
  } catch (error) {
    if (!(error instanceof StrangePolicyError)) throw error;
    return `${what} cannot be judged, because ${error.message} (${how})`;
  }
}

/**
 * Before the first value of ours is put into a secret that somebody else may have made, and before such a secret is
 * adopted, since it would get none later: whoever made it chose who may read it. What stands in it already is its readers' anyway, and so is what they were given later.
 * A crash behind it leaves nothing, since it only reads.
 * @throws OutsiderError that says what was found, and what to do
 */
export async function refuseOutsiders(
  seen: Pick<ObservedSecret, 'secret' | 'holders'>,
  tools: Tools,
): Promise<void> {
  const { secret } = seen;
  if (secret.isNew || hasValueOfOurs(seen)) return;
  const account = secret.arn.split(':')[4] ?? '';
  const { trustedAccounts } = tools.policy;
  const ofAnother = /^arn:[^:]+:kms:[^:]*:([0-9]{12}):/.exec(secret.key ?? '')?.[1];
  // Nobody outside that account can read the key's policy.
  if (ofAnother !== undefined && ofAnother !== account) {
    throw new OutsiderError(
      `${secret.name} gets no token: its key ${secret.key} belongs to account ${ofAnother}, outside account ${account}; give it a key of this account (aws secretsmanager update-secret --kms-key-id)`,
    );
  }
  for (const looked of looksAt(secret, tools)) {
    const shown = await looked.read();
    if (shown === undefined) continue;
    // Not shown is not empty: nobody knows then who may read the secret.
    if ('refusal' in shown) {
      throw new OutsiderError(
        `${secret.name} gets no token: ${looked.what} could not be read, so nobody knows who else may read the secret (${shown.refusal}); let whoever runs this read it (${looked.how})`,
        true,
      );
    }
    const why = objection(looked, shown.policy, { account, trusted: trustedAccounts });
    if (why !== undefined) throw new OutsiderError(`${secret.name} gets no token: ${why}`);
  }
}
