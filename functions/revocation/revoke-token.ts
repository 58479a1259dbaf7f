import type { Tools } from '../run/tools.ts';
import { freshToken } from '../tokens/change-token.ts';
import { currentHolder, type ObservedSecret, type OwnedToken } from '../tokens/observation.ts';
import { obeyHold } from '../tokens/under-hold.ts';
import { type Deed, deedOf, deleteToken, giveBack, strip } from './end-token.ts';
import { decideLone } from './plan/plan-revocation.ts';
import type { LoneToken } from './plan/select-tokens.ts';
import type { RevocationAction } from './report.ts';
import type { Revocation, SecretResult } from './revoke-secret.ts';
import { proveDeath } from './verify-refused.ts';

async function look(lone: LoneToken, tools: Tools): Promise<LoneToken | undefined> {
  if (lone.owned) {
    const owned = await freshToken(tools, lone.owned);
    return owned && { token: owned.token, owned };
  }
  const token = await tools.api.getToken(lone.token.id);
  return token && token.revokedAt === undefined ? { token } : undefined;
}

async function carryOut(
  action: RevocationAction,
  lone: LoneToken,
  { noUndo, order }: Revocation,
  given: OwnedToken[],
  tools: Tools,
): Promise<Deed | undefined> {
  switch (action.kind) {
    case 'strip':
      return strip(lone, noUndo, tools);
    case 'delete':
      return deleteToken(lone, tools);
    case 'give-back': {
      const undo = order.way === 'restore' ? 'quarantine' : 'freeze';
      return lone.owned && giveBack(lone.owned, undo, given, tools);
    }
    case 'detach-label':
      await tools.secrets.moveLabel(action.secret ?? '', action.label ?? '', {
        from: action.tokenId ?? '',
      });
      return undefined;
    default:
      throw new Error(`${action.kind} is no step for a single token`);
  }
}

/** What it is already, where nothing is left to do. */
function standing(lone: LoneToken, { order }: Revocation): Deed {
  const { marker, token } = { marker: lone.owned?.marker, token: lone.token };
  if (order.way === 'freeze') return deedOf(lone, 'frozen');
  if (order.way === 'restore' && marker?.frozen !== undefined) {
    return { ...deedOf(lone, 'left'), unconfirmed: 'it is frozen; unfreeze it' };
  }
  const works = token.permissions.length > 0;
  return works
    ? deedOf(lone, 'given-back')
    : { ...deedOf(lone, 'left'), unconfirmed: 'nothing kept what it could do' };
}

function replacedBy(seen: ObservedSecret | undefined, { order }: Revocation): Partial<Deed> {
  const holder = seen && currentHolder(seen);
  if (order.way !== 'replace' || holder?.state !== 'owned') return {};
  return { replacedBy: holder.owned.token.id };
}

/** Carries out an order about one token that is not the current one of a secret, or not ours. */
export async function revokeLone(
  planned: LoneToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const { order, reason, startedAt } = revocation;
  const given: OwnedToken[] = [];
  const failures: unknown[] = [];
  let deed: Deed = deedOf(planned, 'gone');
  try {
    const lone = await look(planned, tools);
    if (lone) deed = standing(lone, revocation);
    const labels =
      lone && seen ? ((await tools.secrets.describe(seen.secret.name))?.labels ?? {}) : {};
    for (const action of lone ? decideLone(lone, order, labels) : []) {
      if (!lone) break;
      deed = (await carryOut(action, lone, revocation, given, tools)) ?? deed;
      tools.log.warn('revoking', { ...action, way: order.way, reason });
    }
    deed = await proveDeath({ ...deed, ...replacedBy(seen, revocation) }, startedAt, tools);
  } catch (error) {
    failures.push(error);
    const about = { tokenId: planned.token.id, way: order.way, reason };
    tools.log.error('failed', { ...about, error });
    deed = { ...deed, result: 'failed' };
  } finally {
    if (given.length > 0 && seen) await obeyHold(tools, seen.secret.name, given);
  }
  return { deeds: [deed], failures, settled: failures.length === 0 };
}
