/** A request as one of the sandbox's servers sees it, before it takes effect. */
export interface Call {
  readonly server: 'management-api' | 'data-plane' | 'secrets-manager' | 'events';
  /** `POST /tokens`, `PATCH /tokens/{id}`, `GET /query`, `PutSecretValue`, `PutEvents`. */
  readonly operation: string;
  /** The function instance that asks (its `x-sandbox-caller` header), if one does. */
  readonly caller: string | undefined;
  /** The secret or bus that it names, by name or ARN, if it names one. */
  readonly subject?: string | undefined;
  /** Its `authorization` header, where it reached the cluster. */
  readonly authorization?: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Stands between a request and its effect. Call `effect` to let it happen (at most once), then
 * return its reply, another one, or `'reset'` to cut the connection without an answer.
 */
export type Interceptor = (call: Call, effect: () => Reply) => Promise<Reply | 'reset'>;

export const passThrough: Interceptor = async (_call, effect) => effect();
