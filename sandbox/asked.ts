import type { IncomingHttpHeaders } from 'node:http';
import type { Reply } from './interception.ts';

/** An HTTP request, whichever way it came: over a socket, or from a function in this very process. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** What it came over; a connection keeps the router that it met first. */
  readonly connection: object;
}

/** Carries a request out. `reset`: the connection is closed without an answer. */
export type Respond = (asked: Asked) => Promise<Reply | 'reset'>;
