import type { Permission } from '../management-api/token.ts';
import { entryOf, namedDatabases } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import { provenCurrent } from '../tokens/state.ts';
import type { RevocationObservation } from './observe.ts';

/** A string that the cluster accepts, if it answers as it should. */
interface Control {
  readonly secret: string;
  readonly permissions: readonly Permission[];
}

/** What shows that a refusal means something: a proxy that refuses everybody refuses dead strings, too. */
export interface Controls {
  /** Why no other string could be compared. Undefined: the cluster accepts one at this moment. */
  missing(own?: string): Promise<string | undefined>;
}

const MOST_TRIED = 3;
/** "Within the same seconds". */
const FRESH_MS = 5_000;

/** Secrets whose current token works and is not meant by the order. */
function candidates(
  { secrets, at }: RevocationObservation,
  condemned: readonly string[],
  { policy }: Tools,
): Control[] {
  return [...secrets.values()].flatMap((seen) => {
    const { name } = seen.secret;
    const current = provenCurrent(seen, at);
    if (!current || condemned.includes(name) || holdOf(seen.secret)) return [];
    const permissions = entryOf(policy, name)?.permissions ?? current.token.permissions;
    return [{ secret: name, permissions }];
  });
}

async function isAccepted({ secret, permissions }: Control, tools: Tools): Promise<boolean> {
  const text = await tools.secrets.value(secret);
  if (!text) return false;
  const value = readTokenString(entryOf(tools.policy, secret) ?? { secret }, text, {
    known: [],
  });
  const databases = namedDatabases(tools.policy);
  const { answer } = await tools.dataPlane.burst(value, permissions, { databases });
  return answer === 'accepted';
}

/** @param condemned names of the secrets whose tokens the order ends */
export function createControls(
  observation: RevocationObservation,
  condemned: readonly string[],
  tools: Tools,
): Controls {
  const others = candidates(observation, condemned, tools).slice(0, MOST_TRIED);
  const seenAt = new Map<string, number>();

  async function works(control: Control): Promise<boolean> {
    const at = seenAt.get(control.secret);
    if (at !== undefined && tools.now() - at < FRESH_MS) return true;
    const [accepted] = await Promise.allSettled([isAccepted(control, tools)]);
    if (accepted.status !== 'fulfilled' || !accepted.value) return false;
    seenAt.set(control.secret, tools.now());
    return true;
  }

  return {
    async missing(own) {
      const permissions = own === undefined ? undefined : entryOf(tools.policy, own)?.permissions;
      const first = own !== undefined && permissions ? [{ secret: own, permissions }] : [];
      const tried = [...first, ...others];
      for (const control of tried) if (await works(control)) return undefined;
      const what =
        tried.length === 0
          ? 'there is no other string to compare'
          : `it does not accept the string of ${tried.map(({ secret }) => secret).join(', ')} either`;
      return `the cluster refuses it, but ${what}, so the refusal shows nothing`;
    },
  };
}
