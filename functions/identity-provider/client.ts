import type { TokenValue } from '../token-value.ts';
import { type Bearers, type BearersOptions, createBearers } from './bearers.ts';
import { createIdentityProvider, type IdentityProviderOptions } from './client-credentials.ts';
import { type RefusedBearer, refusedBearer } from './refused-bearer.ts';

export interface ManagementBearers extends Bearers {
  /** Why a cluster may refuse one of its tokens. */
  refused(token: TokenValue): RefusedBearer;
  /** Cuts every connection, and forgets what was under way. */
  disconnect(): Promise<void>;
}

type Options = IdentityProviderOptions & Pick<BearersOptions, 'hold' | 'warn'>;

/**
 * This file is a bundle of its own (`#identity-provider`): only where the policy names an OAuth client need a cold start
 * parse it.
 */
export function createManagementBearers(options: Options): ManagementBearers {
  const provider = createIdentityProvider(options);
  const grant = (secret: TokenValue, attempts: number) => provider.grant(secret, attempts);
  const bearers = createBearers({ ...options, grant });
  return {
    ...bearers,
    refused: (token) => refusedBearer(token, options.now()),
    disconnect() {
      bearers.end();
      return provider.disconnect();
    },
  };
}
