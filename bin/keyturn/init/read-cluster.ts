import type { TokenListing } from '../../../functions/management-api/management-api.ts';
import type { Policy } from '../../../functions/policy/policy.ts';
import type { RunTools } from '../../../functions/run/tools.ts';
import { createRuntime } from '../../../functions/runtime.ts';
import { ManagementTokenError } from '../../../functions/secrets-manager/management-token.ts';
import { MINUTE_MS } from '../../../functions/time.ts';
import type { TokenValue } from '../../../functions/token-value.ts';
import { isExpired } from '../../../functions/tokens/state.ts';
import { CommandError, sentenceOf } from '../failure.ts';
import type { Found } from './found.ts';
import { inOptions } from './options.ts';

const NOTHING = 'nothing was written';
const CONTEXT = { getRemainingTimeInMillis: () => 5 * MINUTE_MS };
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

interface Cluster extends Found {
  /** Its time in milliseconds since 1970. */
  readonly at: number;
}

/**
 * A token that is there and is not listed: then the listing lacks others as well, of which nobody would know. Of an expired one
 * it is no sign: a server may list only live ones.
 * @throws CommandError
 */
async function refuseCutListing(
  { api }: Pick<RunTools, 'api'>,
  { tokens, at }: TokenListing,
  wanted: readonly string[],
): Promise<void> {
  const listed = new Set(tokens.map(({ id }) => id.toLowerCase()));
  for (const id of wanted.filter((each) => !listed.has(each.toLowerCase()))) {
    const token = await api.getToken(id);
    if (!token || token.revokedAt !== undefined || isExpired(token, at)) continue;
    throw new CommandError(
      `GET /tokens does not show ${id}, but GET /tokens/${id} does: the listing is incomplete; ${NOTHING}`,
    );
  }
}

async function listAll(
  { api }: Pick<RunTools, 'api'>,
  wanted: readonly string[],
): Promise<Cluster> {
  const [listing, { databases }] = await Promise.all([api.listTokens(), api.listDatabases()]);
  await refuseCutListing({ api }, listing, wanted);
  const { tokens, at } = listing;
  return { tokens, databases, at };
}

/**
 * What there is on a cluster, by GET alone, without what has the form of a credential.
 * @param wanted ids of tokens that are said to be there
 * @throws CommandError if anything could not be listed whole
 */
export async function readCluster(
  {
    policy,
    ca,
    managementToken,
  }: {
    readonly policy: Policy;
    readonly ca: string | undefined;
    readonly managementToken: TokenValue | undefined;
  },
  wanted: readonly string[],
): Promise<Cluster> {
  const runtime = createRuntime({ policy, ca, managementToken, log: SILENT });
  try {
    return await runtime.run(CONTEXT, (tools) => listAll(tools, wanted), true);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (!(error instanceof ManagementTokenError)) {
      throw new CommandError(`${inOptions(sentenceOf(error))}; ${NOTHING}`, { cause: error });
    }
    throw new CommandError(
      `${error.what}: ${sentenceOf(error.cause)}; ${NOTHING}; without it, give the token in KEYTURN_MANAGEMENT_TOKEN or --management-token-file`,
      { cause: error },
    );
  }
}
