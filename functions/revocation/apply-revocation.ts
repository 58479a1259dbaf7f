import type { Tools } from '../run/tools.ts';
import { formatInstant } from '../tokens/marker.ts';
import type { Deed } from './end-token.ts';
import { orderOf, type RevocationPlan } from './plan/plan-revocation.ts';
import type { RevocationReport, RevokedToken } from './report.ts';
import type { RevocationRequest } from './request.ts';
import { type Revocation, revokeSecret, type SecretResult } from './revoke-secret.ts';
import { revokeLone } from './revoke-token.ts';
import { sharedListing } from './shared-listing.ts';
import type { Survey } from './survey.ts';

/** Something of an order was not carried out; repeating it goes on where it ended. */
export class RevocationError extends AggregateError {
  override readonly name = 'RevocationError';
  readonly report: RevocationReport;

  constructor(report: RevocationReport, failures: readonly unknown[]) {
    const lines =
      failures.length > 0 ? failures.map(String) : ['it was not done when time was over'];
    super(
      failures,
      `not all was revoked; give the same order again to go on.\n${lines.join('\n')}\n${JSON.stringify(report)}`,
    );
    this.report = report;
  }
}

function tell(deed: Deed, { policy }: Tools): RevokedToken {
  const { tokenId, secret, result, replacedBy, deadAfterSeconds, unconfirmed } = deed;
  const token = policy.tokens.find((entry) => entry.secret === secret)?.name;
  return {
    tokenId,
    ...(token !== undefined && { token }),
    ...(secret !== undefined && { secret }),
    result,
    ...(replacedBy !== undefined && { replacedBy }),
    ...(deadAfterSeconds !== undefined && { deadAfterSeconds }),
    ...(unconfirmed !== undefined && { unconfirmed }),
  };
}

function announce(told: RevokedToken, { way, reason }: RevocationRequest, { publish, log }: Tools) {
  const detail = { ...told, way, reason };
  log.warn('revoked', detail);
  const { result } = told;
  if (result === 'deleted' || result === 'frozen') {
    publish({ type: 'Token Revoked', detail: { ...detail, result } });
  }
  if (result === 'given-back') {
    publish({ type: 'Token Permissions Changed', detail: { ...detail, result } });
  }
}

/**
 * Carries out a planned order, every secret by itself, and reports what died and how fast. A dry
 * run, and `whois`, end before that.
 * @throws RevocationError with the report of what was done, if something was not
 */
export async function applyRevocation(
  { target, ...plan }: RevocationPlan,
  request: RevocationRequest,
  { secrets }: Pick<Survey, 'secrets'>,
  startedAt: number,
  tools: Tools,
): Promise<RevocationReport> {
  const { way, dryRun, reason = '', noUndo } = request;
  const about = {
    way,
    ...(request.reason !== undefined && { reason }),
    startedAt: formatInstant(startedAt),
    dryRun,
    plan,
  };
  for (const warning of plan.warnings) tools.log.warn(warning, { way, reason });
  if (dryRun || way === 'whois') return { ...about, tokens: [], confirmed: false };

  const revocation: Revocation = { order: orderOf(request, target), noUndo, reason, startedAt };
  const shared = { ...tools, api: { ...tools.api, listTokens: sharedListing(tools.api) } };
  const results: SecretResult[] = await Promise.all([
    ...target.secrets.map((name) => revokeSecret(name, revocation, shared)),
    ...target.lone.map((lone) =>
      revokeLone(lone, secrets.get(lone.owned?.marker.secret ?? ''), revocation, tools),
    ),
  ]);
  const gone = target.gone === undefined ? [] : [goneBefore(target.gone)];
  const tokens = [...results.flatMap(({ deeds }) => deeds), ...gone].map((deed) =>
    tell(deed, tools),
  );
  for (const told of tokens) announce(told, request, tools);
  const failures = results.flatMap((result) => result.failures);
  const settled = results.every((result) => result.settled);
  const confirmed =
    failures.length === 0 &&
    settled &&
    tokens.every(({ unconfirmed }) => unconfirmed === undefined);
  tools.measure({ unconfirmedRevocations: confirmed ? 0 : 1 });
  const report = { ...about, tokens, confirmed };
  if (failures.length > 0) throw new RevocationError(report, failures);
  return report;
}

const goneBefore = (tokenId: string): Deed => ({
  tokenId,
  result: 'gone',
  had: [],
  unconfirmed: 'the cluster has no such token; nobody knows its string',
});
