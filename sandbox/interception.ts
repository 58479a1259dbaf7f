/** A request to one of the sandbox's servers, before it takes effect. */
export interface Call {
  readonly server:
    | 'management-api'
    | 'data-plane'
    | 'secrets-manager'
    | 'events'
    | 'scheduler'
    | 'kms'
    | 'logs'
    | 'cloudwatch'
    | 'lambda'
    | 'sts'
    | 'identity-provider';
  /** `POST /tokens`, `PATCH /tokens/{id}`, `GET /query`, `PutSecretValue`, `PutEvents`, `GetSchedule`. */
  readonly operation: string;
  /** The function instance that sends it (its `x-sandbox-caller` header), if any. */
  readonly caller: string | undefined;
  /** Name or ARN of its secret, key, bus, log group or function, group and name of its schedule, id of its token, if it has one. */
  readonly subject?: string | undefined;
  /** Its `authorization` header, if it is a request to the cluster. */
  readonly authorization?: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Is called before a request takes effect. It may call `effect` once, and returns the reply of `effect`,
 * another reply, or `'reset'` to close the connection without an answer.
 */
export type Interceptor = (call: Call, effect: () => Reply) => Promise<Reply | 'reset'>;

export const passThrough: Interceptor = async (_call, effect) => effect();
