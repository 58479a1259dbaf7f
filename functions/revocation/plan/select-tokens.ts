import type { Policy } from '../../policy/policy.ts';
import { counted } from '../../run/counted.ts';
import { works } from '../../tokens/state.ts';
import type { RevocationRequest } from '../request.ts';
import { endedHidden, hiddenTokens, isNothingShown, withHidden } from './hidden-tokens.ts';
import { selectDatabase, selectName, selectSecret } from './select-named.ts';
import { isInUse, selectFingerprint, selectToken } from './select-token.ts';
import { NONE, type OrderObservation, SelectionError, type Target, whole } from './target.ts';
import { listed } from './unknown-string.ts';
import { unseenIn } from './unseen.ts';

function selectAll(request: RevocationRequest, policy: Policy, around: OrderObservation): Target {
  const hidden = hiddenTokens(around, policy.owner);
  if (isNothingShown(request, around)) {
    const tokens = hidden.length === 0 ? '' : `, and ${counted(hidden.length, 'token')} of it`;
    const said = unseenIn(around, () => true)?.said;
    throw new SelectionError(
      `Secrets Manager shows no secret of the owner ${policy.owner} here${tokens}${said === undefined ? '' : `, and ${said}`}: is this the wrong account or Region? ` +
        'If there are really none, add "withoutSecrets": true (--without-secrets)',
    );
  }
  const gone = endedHidden(around, request, policy.owner).map(({ token }) => token.id);
  return withHidden({ ...whole([...around.secrets.keys()]), gone }, hidden, request, around);
}

/** What works beside current and pending tokens: an earlier run may have restored it, and have ended before it saw that. */
function restoredBefore({ secrets }: Pick<Target, 'secrets'>, around: OrderObservation): string {
  const ids = secrets.flatMap((name) => {
    const seen = around.secrets.get(name);
    if (!seen) return [];
    const others = seen.tokens.filter((each) => !isInUse(seen, each.token.id, each.versions));
    return others.flatMap(({ token }) => (works(token, around.at) ? token.id : []));
  });
  if (ids.length === 0) return '';
  return `; ${listed(ids)} may have been restored before: "tokenId": ID (--token-id ID) shows whether it is accepted`;
}

/** `restore` undoes the quarantine of single tokens. Of a token named by its entry there must be exactly one. */
function onlyQuarantined(
  { secrets }: Target,
  { selector }: RevocationRequest,
  around: OrderObservation,
): Target {
  const found = secrets.flatMap((name) =>
    (around.secrets.get(name)?.tokens ?? []).filter(
      ({ marker }) => marker.quarantined !== undefined,
    ),
  );
  const [first, another] = found;
  if (!first) {
    const others = restoredBefore({ secrets }, around);
    throw new SelectionError(`no token of what was selected is quarantined${others}`);
  }
  if (another && selector.kind === 'token') {
    const ids = found.map(({ token }) => token.id).join(', ');
    throw new SelectionError(
      `several tokens of ${selector.name} are quarantined: ${ids}; name one by its id`,
    );
  }
  return { ...NONE, single: found.map((owned) => ({ token: owned.token, owned })) };
}

function select(request: RevocationRequest, policy: Policy, around: OrderObservation): Target {
  const { selector } = request;
  switch (selector.kind) {
    case 'token':
      return selectName(selector.name, request, around, policy);
    case 'tokenId':
      return selectToken(selector.id, request, around, policy);
    case 'fingerprint':
      return selectFingerprint(selector.fingerprint, request, around, policy);
    case 'secret':
      return selectSecret(selector.nameOrArn, request, around, policy);
    case 'database':
      return selectDatabase(selector.name, request, around, policy);
    case 'all':
      return selectAll(request, policy, around);
    default:
      selector satisfies never;
      throw new Error('unknown selector of an order');
  }
}

/**
 * Finds the secrets and tokens that an order is about. Pure.
 * @throws SelectionError if it selects nothing, or perhaps not what is meant
 */
export function selectTarget(
  request: RevocationRequest,
  policy: Policy,
  around: OrderObservation,
): Target {
  const target = select(request, policy, around);
  const isById = request.selector.kind === 'tokenId' || request.selector.kind === 'fingerprint';
  return request.way === 'restore' && !isById ? onlyQuarantined(target, request, around) : target;
}
