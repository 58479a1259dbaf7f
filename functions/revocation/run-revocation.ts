import { entryOf } from '../policy/policy.ts';
import { atApiTime } from '../run/api-time.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import { formatInstant } from '../time.ts';
import type { TokenResult } from './end-token.ts';
import { searchValues } from './find-leaked.ts';
import { observeAll, type RevocationObservation, sharedListing } from './observe.ts';
import { orderOf, planRevocation, type RevocationPlan } from './plan/plan-revocation.ts';
import type { RevocationReport, RevokedToken } from './report.ts';
import type { RevocationRequest } from './request.ts';
import { type Revocation, revokeSecret, type SecretResult } from './revoke-secret.ts';
import { revokeToken } from './revoke-token.ts';

/** A part of an order was not carried out; repeating the order continues where it stopped. */
export class RevocationError extends AggregateError {
  override readonly name = 'RevocationError';
  readonly report: RevocationReport;

  constructor(report: RevocationReport, failures: readonly unknown[]) {
    super(
      failures,
      `not all was revoked; give the same order again to go on.\n${failures.map(String).join('\n')}\n${JSON.stringify(report)}`,
    );
    this.report = report;
  }
}

/** The part of a result that people read, without what only verifying needs. */
function revokedToken(
  { had, versions, fingerprint, ...revoked }: TokenResult,
  { policy }: Tools,
): RevokedToken {
  const token = entryOf(policy, revoked.secret ?? '')?.name;
  return { ...revoked, ...(token !== undefined && { token }) };
}

function announce(
  revoked: RevokedToken,
  { way, reason }: RevocationRequest,
  { publish, log }: Tools,
): void {
  const detail = { ...revoked, way, reason };
  log.warn('revoked', detail);
  const { result } = revoked;
  if (result === 'deleted' || result === 'frozen') {
    publish({ type: 'Token Revoked', detail: { ...detail, result } });
  }
  if (result === 'given-back') {
    publish({ type: 'Token Permissions Changed', detail: { ...detail, result } });
  }
}

const goneBefore = (tokenId: string): TokenResult => ({
  tokenId,
  result: 'gone',
  had: [],
  unconfirmed: 'the cluster has no such token; nobody knows its string',
});

/** Carries out an order: every secret and every single token by itself. */
function applyRevocation(
  { target }: RevocationPlan,
  { secrets }: RevocationObservation,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult[]> {
  const shared = { ...tools, api: { ...tools.api, listTokens: sharedListing(tools.api) } };
  return Promise.all([
    ...target.secrets.map((name) => revokeSecret(name, revocation, shared)),
    ...target.single.map((each) =>
      revokeToken(each, secrets.get(each.owned?.marker.secret ?? ''), revocation, tools),
    ),
  ]);
}

/**
 * One run of `revoke`, in Lambda or on a laptop: observe, plan, apply, and report which tokens were ended
 * and how fast. A dry run, and `whois`, apply nothing.
 * @throws RevocationError with the report, if a part was not done
 */
export async function runRevocation(
  request: RevocationRequest,
  runTools: RunTools,
): Promise<RevocationReport> {
  const { way, dryRun, reason = '', noUndo } = request;
  const startedAt = runTools.now();
  const observation = await observeAll(runTools);
  const tools = atApiTime(runTools, observation);
  const leaked = await searchValues(request, observation, tools);
  const around = { ...observation, leaked };
  const { target, ...plan } = planRevocation(runTools.policy, around, request);
  const about = {
    way,
    ...(request.reason !== undefined && { reason }),
    startedAt: formatInstant(startedAt),
    dryRun,
    plan,
  };
  for (const message of plan.warnings) tools.log.warn('warning', { way, reason, message });
  if (dryRun || way === 'whois') return { ...about, tokens: [], confirmed: false };

  const revocation = { order: orderOf(request, target), noUndo, reason, startedAt };
  const applied = await applyRevocation({ target, ...plan }, observation, revocation, tools);
  const gone = target.gone === undefined ? [] : [goneBefore(target.gone)];
  const results = [...applied.flatMap((each) => each.results), ...gone];
  const tokens = results.map((each) => revokedToken(each, tools));
  for (const revoked of tokens) announce(revoked, request, tools);

  const failures = applied.flatMap((each) => each.failures);
  const confirmed =
    failures.length === 0 &&
    applied.every(({ settled }) => settled) &&
    tokens.every(({ unconfirmed }) => unconfirmed === undefined);
  tools.measure({ unconfirmedRevocations: confirmed ? 0 : 1 });
  const report = { ...about, tokens, confirmed };
  if (failures.length > 0) throw new RevocationError(report, failures);
  return report;
}
