import type { Token } from '../../../functions/management-api/token.ts';
import type { Policy } from '../../../functions/policy/policy.ts';
import type { ReapingAction } from '../../../functions/reaping/plan/reaping-action.ts';
import type {
  Recognition,
  RotationAction,
} from '../../../functions/rotation/plan/rotation-action.ts';
import type { Plan } from '../../../functions/run/plan.ts';
import type { Secret } from '../../../functions/secrets-manager/secret.ts';
import {
  describeToken,
  grantsHash,
  type Marker,
  parseMarker,
} from '../../../functions/tokens/marker.ts';
import { tokenNamedBy, versionIdOf } from '../../../functions/tokens/version-id.ts';
import { armed, fingerprint, id, secretOf, type World } from '../builders.ts';

type Fields = { readonly [Key in keyof Marker]?: Marker[Key] | undefined };

type Action = RotationAction | ReapingAction;

/** Both systems as plain data, in which every action takes its whole effect at once. */
interface Model {
  readonly secrets: Map<string, Secret>;
  readonly tokens: Map<string, Token>;
  readonly at: number;
  readonly strings: World['strings'];
  minted: number;
}

function mark(token: Token, fields: Fields, permissions = token.permissions): Token {
  const parsed = parseMarker(token.description);
  if (!parsed) throw new Error(`${token.id} bears no marker`);
  const kept = Object.entries({ ...parsed.marker, ...fields }).filter(([, v]) => v !== undefined);
  const marker = Object.fromEntries(kept) as unknown as Marker;
  return { ...token, permissions, description: describeToken(parsed.text, marker) };
}

const markerOf = ({ description }: Token) => parseMarker(description)?.marker;

/** The token whose string a version has, if it is of this secret. */
function holderOf({ tokens, strings }: Model, secret: Secret, versionId = ''): Token | undefined {
  const named = tokenNamedBy(versionId);
  const direct = tokens.get(named?.tokenId ?? '');
  if (direct || named?.certain) return direct;
  const all = [...tokens.values()];
  const [claims, another] = all.filter((token) => {
    const { fp, secret: name, version = [], minted } = markerOf(token) ?? {};
    const says = version.includes(versionId) || minted === versionId;
    return fp !== undefined && name === secret.name && says;
  });
  if (claims && !another) return claims;
  const n = strings?.[versionId];
  return typeof n === 'number' ? tokens.get(id(n)) : undefined;
}

const isIts = (token: Token | undefined, { name }: Secret) =>
  token !== undefined && markerOf(token)?.secret === name;

function restartGrace({ tokens, at }: Model, { name }: Secret): void {
  for (const token of tokens.values()) {
    const { secret, superseded, quarantined } = markerOf(token) ?? {};
    if (secret !== name || superseded === undefined || quarantined !== undefined) continue;
    tokens.set(token.id, mark(token, { superseded: at, fenced: undefined }));
  }
}

function promote(model: Model, secret: Secret, next: Token): void {
  const { tokens, secrets, at } = model;
  const { AWSCURRENT } = secret.labels;
  const former = holderOf(model, secret, AWSCURRENT);
  if (former && former.id !== next.id && isIts(former, secret)) {
    const fields = { superseded: at, fenced: undefined, quarantined: undefined };
    tokens.set(former.id, mark(former, fields));
  } else if (AWSCURRENT !== undefined && !former) restartGrace(model, secret);
  tokens.set(next.id, mark(next, { promoted: at }));
  const versionId = isPending(model, secret, next) ? secret.labels.AWSPENDING : undefined;
  const promoted = versionId ?? versionIdOf(next.id);
  const previous = AWSCURRENT !== undefined &&
    AWSCURRENT !== promoted && { AWSPREVIOUS: AWSCURRENT };
  const labels = { ...secret.labels, AWSCURRENT: promoted, AWSPENDING: promoted, ...previous };
  secrets.set(secret.name, { ...secret, labels });
}

const isPending = (model: Model, secret: Secret, { id: tokenId }: Token) =>
  holderOf(model, secret, secret.labels.AWSPENDING)?.id === tokenId;

function without(secret: Secret, label: string): Secret {
  const { [label]: _, ...labels } = secret.labels;
  return { ...secret, labels };
}

function mint(model: Model, { name }: Secret, entry: Policy['tokens'][number]): Token {
  model.minted += 1;
  const { permissions, expiresAfter } = entry;
  const marker = { grants: grantsHash(permissions), armed: model.at };
  const made = armed(900_000 + model.minted, { name, permissions, marker, waits: true });
  return { ...made, createdAt: model.at, expiresAt: model.at + (expiresAfter ?? 0) };
}

/** With the permissions of today, as arming leaves it. */
function armedNow(model: Model, tokenId: string, permissions: Token['permissions']): Token {
  const found = model.tokens.get(tokenId);
  if (!found) throw new Error(`${tokenId} is gone`);
  const { fp = fingerprint(0), armed: since } = markerOf(found) ?? {};
  const isSettled =
    since !== undefined && grantsHash(found.permissions) === grantsHash(permissions);
  const fields = { id: tokenId, fp, grants: grantsHash(permissions) };
  return mark(found, { ...fields, armed: isSettled ? since : model.at }, permissions);
}

function recognise(
  model: Model,
  { tokenId, version: versionId, label }: Recognition,
  secret: Secret,
): void {
  const token = model.tokens.get(tokenId);
  if (!token) return;
  const { version = [], promoted = model.at } = markerOf(token) ?? {};
  const isCurrent = holderOf(model, secret, secret.labels.AWSCURRENT)?.id === tokenId;
  const isNoMore = { superseded: undefined, grace: undefined, fenced: undefined, promoted };
  const clocks = isCurrent ? isNoMore : { superseded: model.at, fenced: undefined };
  const fields = { version: [...version, versionId].slice(-3) };
  model.tokens.set(tokenId, mark(token, { ...fields, ...(label !== 'AWSPENDING' && clocks) }));
}

/** All permissions that a token has, or that a policy adds, each once. */
function union(token: Token | undefined, added: Token['permissions']): Token['permissions'] {
  const has = new Set(added.map((each) => JSON.stringify(each)));
  const others = token?.permissions.filter((each) => !has.has(JSON.stringify(each))) ?? [];
  return [...added, ...others];
}

/** The grace period of what is shared no more starts then. */
function sharedNow(token: Token | undefined, shared: string | undefined, at: number) {
  const wasSuperseded = token !== undefined && markerOf(token)?.superseded !== undefined;
  const isOver = shared === undefined && wasSuperseded;
  return { shared, ...(isOver && { superseded: at, fenced: undefined }) };
}

function detachPrevious(
  model: Model,
  { reason }: Extract<Action, { readonly kind: 'detach-previous' }>,
  secret: Secret,
): void {
  if (reason === 'UnknownVersion') restartGrace(model, secret);
  model.secrets.set(secret.name, without(secret, 'AWSPREVIOUS'));
}

function carryOut(action: Action, model: Model, policy: Policy): void {
  const { secrets, tokens, at } = model;
  const name = 'secret' in action ? action.secret : '';
  const secret = secrets.get(name) ?? secretOf({}, { name });
  const tokenId = 'tokenId' in action ? action.tokenId : '';
  const entry = policy.tokens.find((each) => each.secret === secret.name);
  const permissions = entry?.permissions ?? [];
  const token = tokens.get(tokenId);
  const change = (fields: Fields, given?: Token['permissions']) => {
    if (token) tokens.set(tokenId, mark(token, fields, given));
  };
  switch (action.kind) {
    case 'delete-secret':
      secrets.set(secret.name, { ...secret, deletedAt: at });
      break;
    case 'rotate':
      if (entry) promote(model, secret, mint(model, secret, entry));
      break;
    case 'mint': {
      if (!entry) break;
      const next = mint(model, secret, entry);
      tokens.set(next.id, next);
      const labels = { ...secret.labels, AWSPENDING: versionIdOf(next.id) };
      secrets.set(secret.name, { ...secret, labels });
      break;
    }
    case 'arm':
      tokens.set(tokenId, armedNow(model, tokenId, permissions));
      break;
    case 'resume':
      promote(model, secret, armedNow(model, tokenId, permissions));
      break;
    case 'detach-pending':
      secrets.set(secret.name, without(secret, 'AWSPENDING'));
      break;
    case 'recognise':
      recognise(model, action, secret);
      break;
    case 'mark-shared':
      change(sharedNow(token, action.by, at));
      break;
    case 'restart-grace':
      restartGrace(model, secret);
      break;
    case 'detach-previous':
      detachPrevious(model, action, secret);
      break;
    case 'widen': {
      const wider = union(token, permissions);
      change({ grants: grantsHash(wider) }, wider);
      break;
    }
    case 'verify':
      change({ refused: undefined });
      break;
    case 'give-back': {
      const { was = [] } = (token && markerOf(token)) ?? {};
      change({ superseded: undefined, fenced: undefined, quarantined: undefined }, was);
      break;
    }
    case 'supersede':
      change({ superseded: at, fenced: undefined, quarantined: undefined });
      break;
    case 'fence':
      if (holderOf(model, secret, secret.labels.AWSPREVIOUS)?.id === tokenId)
        secrets.set(secret.name, without(secret, 'AWSPREVIOUS'));
      change({ fenced: at });
      break;
    case 'quarantine':
      change({ quarantined: at, was: token?.permissions ?? [] }, []);
      break;
    case 'strip':
      change({ frozen: at, was: token?.permissions ?? [] }, []);
      break;
    case 'delete':
    case 'delete-foreign':
      tokens.delete(tokenId);
      break;
    case 'move-cluster':
    case 'end-proof':
    case 'adopt':
    case 'note-adoption':
    case 'replicate':
    case 'check-replicas':
      throw new Error(`${action.kind} is not modelled`);
    default:
      action satisfies never;
  }
}

let minted = 0;

/** The world after a plan was applied to it, every action with its full effect. */
export function applied(
  world: World & { readonly at: number },
  plan: Plan<Action>,
  policy: Policy,
): World {
  const model: Model = {
    secrets: new Map((world.secrets ?? []).map((each) => [each.name, each])),
    tokens: new Map((world.tokens ?? []).map((each) => [each.id, each])),
    at: world.at,
    strings: world.strings,
    minted,
  };
  for (const action of plan.actions) carryOut(action, model, policy);
  minted = model.minted;
  return { ...world, secrets: [...model.secrets.values()], tokens: [...model.tokens.values()] };
}
