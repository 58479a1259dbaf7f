import type { Token } from '../../../functions/management-api/token.ts';
import type { Policy } from '../../../functions/policy/policy.ts';
import type { ReapingAction } from '../../../functions/reaping/plan/reaping-action.ts';
import type { RotationAction } from '../../../functions/rotation/plan/rotation-action.ts';
import type { Plan } from '../../../functions/run/plan.ts';
import type { Secret } from '../../../functions/secrets-manager/secret.ts';
import {
  describeToken,
  grantsHash,
  type Marker,
  parseMarker,
} from '../../../functions/tokens/marker.ts';
import { armed, secretOf, type World } from '../builders.ts';

type Fields = { readonly [Key in keyof Marker]?: Marker[Key] | undefined };

type Action = RotationAction | ReapingAction;

/** Both systems as plain data, in which every action takes its whole effect at once. */
interface Model {
  readonly secrets: Map<string, Secret>;
  readonly tokens: Map<string, Token>;
  readonly at: number;
  minted: number;
}

function mark(token: Token, fields: Fields, permissions = token.permissions): Token {
  const parsed = parseMarker(token.description);
  if (!parsed) throw new Error(`${token.id} bears no marker`);
  const kept = Object.entries({ ...parsed.marker, ...fields }).filter(([, v]) => v !== undefined);
  const marker = Object.fromEntries(kept) as unknown as Marker;
  return { ...token, permissions, description: describeToken(parsed.text, marker) };
}

const isOurs = ({ description }: Token) => parseMarker(description) !== undefined;

function promote(model: Model, secret: Secret, next: Token): void {
  const { AWSCURRENT } = secret.labels;
  const former = model.tokens.get(AWSCURRENT ?? '');
  if (former && former.id !== next.id && isOurs(former)) {
    const fields = { superseded: model.at, fenced: undefined, quarantined: undefined };
    model.tokens.set(former.id, mark(former, fields));
  }
  model.tokens.set(next.id, next);
  const previous = AWSCURRENT !== undefined &&
    AWSCURRENT !== next.id && { AWSPREVIOUS: AWSCURRENT };
  const labels = { ...secret.labels, AWSCURRENT: next.id, AWSPENDING: next.id, ...previous };
  model.secrets.set(secret.name, { ...secret, labels });
}

function without(secret: Secret, label: string): Secret {
  const { [label]: _, ...labels } = secret.labels;
  return { ...secret, labels };
}

function unlabel({ secrets }: Model, secret: Secret, label: string, version: string): void {
  if (secret.labels[label] === version) secrets.set(secret.name, without(secret, label));
}

function rotate(model: Model, secret: Secret, entry: Policy['tokens'][number]): void {
  model.minted += 1;
  const { permissions, expiresAfter } = entry;
  const marker = { grants: grantsHash(permissions) };
  const made = armed(900_000 + model.minted, { name: secret.name, permissions, marker });
  const expiresAt = model.at + (expiresAfter ?? 0);
  promote(model, secret, { ...made, createdAt: model.at, expiresAt });
}

function resume(model: Model, secret: Secret, version: string, permissions: Token['permissions']) {
  const found = model.tokens.get(version);
  if (!found) throw new Error(`${version} is gone`);
  const fields = { id: version, fp: '0123456789abcdef', grants: grantsHash(permissions) };
  const isArmed = parseMarker(found.description)?.marker.fp !== undefined;
  promote(model, secret, isArmed ? found : mark(found, fields, permissions));
}

function carryOut(action: Action, model: Model, policy: Policy): void {
  const { secrets, tokens, at } = model;
  const name = 'secret' in action ? action.secret : '';
  const secret = secrets.get(name) ?? secretOf({}, { name });
  const tokenId = 'tokenId' in action ? action.tokenId : '';
  const entry = policy.tokens.find((each) => each.secret === secret.name);
  const permissions = entry?.permissions ?? [];
  const grants = grantsHash(permissions);
  const token = tokens.get(tokenId);
  const change = (fields: Fields, given?: Token['permissions']) => {
    if (token) tokens.set(tokenId, mark(token, fields, given));
  };
  switch (action.kind) {
    case 'delete-secret':
      secrets.set(secret.name, { ...secret, deletedAt: at });
      break;
    case 'rotate':
      if (entry) rotate(model, secret, entry);
      break;
    case 'resume':
      resume(model, secret, tokenId, permissions);
      break;
    case 'detach-pending':
      secrets.set(secret.name, without(secret, 'AWSPENDING'));
      break;
    case 'widen':
      change({ grants }, permissions);
      break;
    case 'give-back': {
      const { was = [] } = (token && parseMarker(token.description)?.marker) ?? {};
      change({ superseded: undefined, fenced: undefined, quarantined: undefined }, was);
      break;
    }
    case 'supersede':
      change({ superseded: at, fenced: undefined });
      break;
    case 'fence':
      unlabel(model, secret, 'AWSPREVIOUS', tokenId);
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
    case 'adopt':
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
    minted,
  };
  for (const action of plan.actions) carryOut(action, model, policy);
  minted = model.minted;
  return { ...world, secrets: [...model.secrets.values()], tokens: [...model.tokens.values()] };
}
