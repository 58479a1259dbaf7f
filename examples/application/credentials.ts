/** What Keyturn keeps in the secret of a token, as far as an application needs it. */
export interface Credentials {
  readonly token: string;
  /** Of the data plane. */
  readonly url: string;
}

export interface CredentialsOptions {
  /** Reads AWSCURRENT. Whatever it throws is an error of Secrets Manager's, or of the network. */
  readonly read: () => Promise<Credentials>;
  /** How old the credentials may become. Two times this must be shorter than the token's `gracePeriod`. */
  readonly rereadEveryMs: number;
  /** How long to wait after a read that failed, or after one that a refusal caused. */
  readonly pauseMs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Holds the credentials of a process that lives for a long time, and reads them again by time and after a refusal. */
export function holdCredentials({
  read,
  rereadEveryMs,
  pauseMs = 10_000,
  now = Date.now,
}: CredentialsOptions) {
  let held: Credentials | undefined;
  let rereadAt = 0;
  let reading: Promise<Credentials> | undefined;

  const reread = async (): Promise<Credentials> => {
    try {
      held = await read();
      rereadAt = now() + rereadEveryMs;
    } catch (error) {
      // The old token works through its grace period, so a failed read stops nothing. It is soon tried again.
      rereadAt = now() + pauseMs;
      if (!held) throw error;
    }
    return held;
  };

  /** Many requests at once cause one read. */
  const readOnce = (): Promise<Credentials> => {
    reading ??= reread().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  let refusedAt = Number.NEGATIVE_INFINITY;
  /** Reads at once, but not for every request of a storm of refusals. */
  const afterRefusal = (): Promise<Credentials | undefined> => {
    if (!reading && now() - refusedAt < pauseMs) return Promise.resolve(held);
    refusedAt = now();
    return readOnce();
  };

  return {
    /**
     * Sends a request with the token that is held. If it is refused, and the secret has another token by now, sends it once more.
     * @throws the error of `read` if it never succeeded, and whatever `send` throws
     */
    async use(send: (credentials: Credentials) => Promise<Response>): Promise<Response> {
      const first = held && now() < rereadAt ? held : await readOnce();
      const answer = await send(first);
      // InfluxDB says 401 of a token that is gone, and 403 of one that has no permissions any more.
      if (answer.status !== 401 && answer.status !== 403) return answer;
      const second = await afterRefusal();
      if (!second || second.token === first.token) return answer;
      await answer.body?.cancel();
      return send(second);
    },
  };
}
