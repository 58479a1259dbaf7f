import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  /** `GET /api/v0/tokens`, `POST /api/v2/write`, `GetSecretValue`, `PutEvents`, `GetSchedule`. */
  readonly operation: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What is done with a request in place of answering it. */
export type Behaviour = (response: ServerResponse, asked: Asked) => void;

/** Stands before a server, and answers some of its requests itself. */
export interface Gateway {
  readonly url: string;
  /** `undefined`: everything is passed on. */
  hostile: { readonly to: RegExp; readonly behaviour: Behaviour } | undefined;
  /** How many requests it did not pass on. */
  readonly caught: number;
  close(): void;
}

function operationOf({ method, url = '', headers }: IncomingMessage): string {
  const [, target] = String(headers['x-amz-target'] ?? '').split('.');
  if (target !== undefined) return target;
  const [path = ''] = url.split('?');
  return path.startsWith('/schedules/') ? 'GetSchedule' : `${method} ${path}`;
}

function pass(
  to: string,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  body: string,
) {
  const forwarded = request(new URL(url ?? '/', to), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  forwarded.on('error', () => response.destroy());
  forwarded.end(body);
}

export async function startGateway(to: string): Promise<Gateway> {
  let caught = 0;
  const server = createServer((asking, response) => {
    let body = '';
    asking.on('data', (chunk) => {
      body += chunk;
    });
    asking.on('end', () => {
      const operation = operationOf(asking);
      const { hostile } = gateway;
      if (!hostile?.to.test(operation)) return pass(to, asking, response, body);
      caught += 1;
      response.on('error', () => {});
      response.socket?.on('error', () => {});
      hostile.behaviour(response, { operation, headers: asking.headers, body });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gateway: Gateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hostile: undefined,
    get caught() {
      return caught;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return gateway;
}
