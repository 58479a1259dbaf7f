import type { TokenValue } from '../token-value.ts';
import type { Grant } from './client-credentials.ts';
import { IdentityProviderError } from './provider-error.ts';

export interface BearersOptions {
  /**
   * Asks for a new token.
   * @param attempts how often, if nobody answers
   */
  readonly grant: (secret: TokenValue, attempts: number) => Promise<Grant>;
  readonly now: () => number;
  /** Is told of every token before it is used. */
  readonly hold: (token: TokenValue) => void;
  readonly warn: (message: string, details: object) => void;
}

/** Of a token's life, after which the next one is asked for. */
const USED = 0.8;
/** Nothing waits long for the next one while this one still works. */
const AGAIN_MS = 10_000;
const ATTEMPTS = 3;
/**
 * A cluster that refuses one new token refuses the next one as well: for so long no other is asked for. Some providers are
 * paid by the token.
 */
const REFUSED_MS = 60_000;

/** A client that is refused now is refused at the next request as well: a run of many actions asks once in so long. */
const DENIED_MS = 60_000;

interface Held extends Grant {
  readonly renewAt: number;
  readonly endsAt: number;
}

/** The bearer token of every request to the Management API: the same one for most of its life, in all runs of a process. */
export function createBearers({ grant, now, hold, warn }: BearersOptions) {
  let secret: TokenValue | undefined;
  let held: Held | undefined;
  let asking: Promise<TokenValue> | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let denied: { readonly error: IdentityProviderError; readonly until: number } | undefined;

  async function ask(attempts: number): Promise<TokenValue> {
    const from = now();
    if (!secret) throw new Error('no run has begun');
    const given = await grant(secret, attempts).catch((error: unknown) => {
      const isDefinite = error instanceof IdentityProviderError && !error.retryable;
      if (isDefinite) denied = { error, until: now() + DENIED_MS };
      throw error;
    });
    denied = undefined;
    hold(given.value);
    held = { ...given, renewAt: from + given.lifeMs * USED, endsAt: from + given.lifeMs };
    return given.value;
  }

  /** One request for all that wait. */
  function next(attempts: number): Promise<TokenValue> {
    const begun: Promise<TokenValue> = ask(attempts).finally(() => {
      if (asking === begun) asking = undefined;
    });
    asking = begun;
    return begun;
  }

  /** Of a token that still works, the end may be waited for: whatever ails the provider may be over by then. */
  const renew = ({ value, endsAt }: Held): Promise<TokenValue> => {
    const begun: Promise<TokenValue> = ask(1)
      .catch((error: unknown) => {
        if (now() >= endsAt) throw error;
        warn('the token for the Management API could not be renewed yet', { error });
        if (held) held = { ...held, renewAt: now() + AGAIN_MS };
        return value;
      })
      .finally(() => {
        if (asking === begun) asking = undefined;
      });
    asking = begun;
    return begun;
  };

  return {
    /** A run begins, and has read the client's secret: another one than before takes effect at once. */
    begin(present: TokenValue): void {
      if (secret?.fingerprint() !== present.fingerprint()) held = undefined;
      secret = present;
      denied = undefined;
    },
    /** @throws IdentityProviderError if there is none that works */
    bearer(): Promise<TokenValue> {
      if (asking) return asking;
      if (!held || now() >= held.endsAt) {
        return denied && now() < denied.until ? Promise.reject(denied.error) : next(ATTEMPTS);
      }
      return now() < held.renewAt ? Promise.resolve(held.value) : renew(held);
    },
    /** Another token in place of one that the cluster refused; undefined: there is none. */
    async another(refused: TokenValue): Promise<TokenValue | undefined> {
      const present = held?.value.reveal();
      if (present !== undefined && present !== refused.reveal()) return held?.value;
      if (!asking && now() < refusedAt + REFUSED_MS) return undefined;
      refusedAt = now();
      try {
        return await (asking ?? next(1));
      } catch (error) {
        warn('no other token for the Management API', { error });
        return undefined;
      }
    },
    /** The run is over: what it began is not waited for by the next one. */
    end(): void {
      asking = undefined;
    },
  };
}

export type Bearers = ReturnType<typeof createBearers>;
