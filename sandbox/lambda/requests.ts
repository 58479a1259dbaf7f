import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** undici's channels pass its internal request, both from the bundled copy and from Node's `fetch`. */
interface UndiciRequest {
  addHeader(name: string, value: string): void;
}

export interface OutgoingRequests {
  /** Requests whose answer is not read to its end. */
  readonly count: number;
}

/** Watches every HTTP request of this process, and adds a header that names the caller. */
export function watchRequests(caller: string, onChange: () => void): OutgoingRequests {
  const unanswered = new Set<unknown>();
  const start = (request: unknown) => {
    unanswered.add(request);
    onChange();
  };
  const end = (request: unknown) => {
    if (unanswered.delete(request)) onChange();
  };

  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: UndiciRequest };
    request.addHeader('x-sandbox-caller', caller);
    start(request);
  });
  for (const last of ['undici:request:trailers', 'undici:request:error']) {
    subscribe(last, (message) => end((message as { request: UndiciRequest }).request));
  }
  subscribe('http.client.request.created', (message) => {
    const { request } = message as { request: ClientRequest };
    if (!request.headersSent) request.setHeader('x-sandbox-caller', caller);
    start(request);
    request.once('close', () => end(request));
  });

  return {
    get count() {
      return unanswered.size;
    },
  };
}
