import type { Permission } from '../management-api/token.ts';
import { entryOf, namedDatabases } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { parseMarker } from '../tokens/marker.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import { provenCurrent } from '../tokens/state.ts';
import type { RevocationObservation } from './observe.ts';
import { grantsOf } from './plan/known-token.ts';
import { NO_OTHER } from './report.ts';

/** A string that the cluster accepts, if it answers as it should. */
interface Control {
  readonly secret: string;
  readonly permissions: readonly Permission[];
}

/** What shows that a refusal means something: a proxy that refuses everybody refuses dead strings, too. */
export interface Controls {
  /**
   * Why a refusal shows nothing. Undefined: for every kind of request by which these permissions are probed, the
   * cluster accepts another string at this moment. A proxy may refuse writes alone.
   */
  missing(probed: readonly Permission[], own?: string): Promise<string | undefined>;
  /**
   * Of these, what any token of this deployment has, or may get by the policy, to read or to write; all, if that is
   * none. What nobody has, nothing can be compared with: then the other kind of request stands for both.
   */
  comparable(probed: readonly Permission[]): readonly Permission[];
}

/** The kinds of request by which strings are probed: each has a path of its own. */
const ACTIONS = ['read', 'write'] as const;
type Action = (typeof ACTIONS)[number];

const MOST_TRIED = 3;
/** "Within the same seconds". */
const FRESH_MS = 5_000;

/** Secrets whose current token works; those first that the order does not mean. */
function candidates(
  { secrets, at }: RevocationObservation,
  { condemned, replaced }: Meant,
  { policy }: Tools,
): Control[] {
  const all = [...secrets.values()].filter(({ secret }) => !condemned.includes(secret.name));
  const first = all.filter(({ secret }) => !replaced.includes(secret.name));
  return [...new Set([...first, ...all])].flatMap((seen) => {
    const { name } = seen.secret;
    const current = provenCurrent(seen, at);
    if (!current) return [];
    const permissions = entryOf(policy, name)?.permissions ?? current.token.permissions;
    return [{ secret: name, permissions }];
  });
}

const may = ({ permissions }: Pick<Control, 'permissions'>, action: Action) =>
  permissions.filter((each) => each.action === action);

async function isAccepted(control: Control, action: Action, tools: Tools): Promise<boolean> {
  const { secret } = control;
  const text = await tools.secrets.value(secret);
  if (!text) return false;
  const value = readTokenString(entryOf(tools.policy, secret) ?? { secret }, text, {
    known: [],
  });
  const databases = namedDatabases(tools.policy);
  const { answer } = await tools.dataPlane.burst(value, may(control, action), { databases });
  return answer === 'accepted';
}

/** Names of the secrets that an order means. */
interface Meant {
  /** Their current tokens are ended, and none follows. */
  readonly condemned: readonly string[];
  /** Their current tokens are ended, and successors follow. */
  readonly replaced: readonly string[];
}

/** Whether anything of this deployment may read, or write, by its policy or as far as its tokens are listed. */
function isGranted(
  action: Action,
  { tokens }: Pick<RevocationObservation, 'tokens'>,
  { owner, tokens: entries }: Tools['policy'],
): boolean {
  const its = tokens.flatMap((token): Pick<Control, 'permissions'>[] => {
    const { marker } = parseMarker(token.description) ?? {};
    return marker?.owner === owner ? [{ permissions: grantsOf(token, marker) }] : [];
  });
  return [...entries, ...its].some((each) => may(each, action).length > 0);
}

export function createControls(
  observation: RevocationObservation,
  meant: Meant,
  tools: Tools,
): Controls {
  const others = candidates(observation, meant, tools);
  const seenAt = new Map<string, number>();

  async function works(control: Control, action: Action): Promise<boolean> {
    const key = `${action} ${control.secret}`;
    const at = seenAt.get(key);
    if (at !== undefined && tools.now() - at < FRESH_MS) return true;
    const [accepted] = await Promise.allSettled([isAccepted(control, action, tools)]);
    if (accepted.status !== 'fulfilled' || !accepted.value) return false;
    seenAt.set(key, tools.now());
    return true;
  }

  async function missingFor(action: Action, own: readonly Control[]): Promise<string | undefined> {
    const able = others.filter((each) => may(each, action).length > 0).slice(0, MOST_TRIED);
    const tried = [...own.filter((each) => may(each, action).length > 0), ...able];
    for (const control of tried) if (await works(control, action)) return undefined;
    const what =
      tried.length === 0
        ? `${NO_OTHER} that may ${action}`
        : `nor does it let the string of ${tried.map(({ secret }) => secret).join(', ')} ${action}`;
    return `the cluster refuses it, but ${what}, so the refusal shows nothing`;
  }

  const granted = ACTIONS.filter((action) => isGranted(action, observation, tools.policy));

  return {
    comparable(probed) {
      const able = granted.flatMap((action) => may({ permissions: probed }, action));
      return able.length > 0 ? able : probed;
    },
    async missing(probed, own) {
      const permissions = own === undefined ? undefined : entryOf(tools.policy, own)?.permissions;
      const first = own !== undefined && permissions ? [{ secret: own, permissions }] : [];
      for (const action of ACTIONS) {
        if (may({ permissions: probed }, action).length === 0) continue;
        const reason = await missingFor(action, first);
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
  };
}
