import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface OddAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** In place of a body so many spaces, each a part of its own. */
  readonly crumbs?: number;
}

/** `reset` cuts the connection; `trickle` is a success that never ends, a space each 20 ms. */
type Given = OddAnswer | 'reset' | 'silence' | 'trickle';

/** What a request is answered with. */
type Answering = (request: IncomingMessage, index: number) => Given;

const formatBody = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body));

function answer(response: ServerResponse, given: Given) {
  if (given === 'reset') {
    response.socket?.destroy();
    return;
  }
  if (given === 'silence') return;
  if (given === 'trickle') {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
    return;
  }
  const { status = 200, headers = {}, body, crumbs = 0 } = given;
  response.writeHead(status, { ...headers });
  if (crumbs > 0) {
    response.flushHeaders();
    response.socket?.end(`${'1\r\n \r\n'.repeat(crumbs)}0\r\n\r\n`);
    return;
  }
  response.end(body === undefined ? undefined : formatBody(body));
}

/** A server that says anything at all, for as long as the test runs; it tells what it was asked. */
export async function startOddServer(answering: Answering) {
  const asked: {
    readonly line: string;
    readonly headers: IncomingMessage['headers'];
    body: string;
  }[] = [];
  const sockets = new Set<unknown>();
  const server = createServer((request, response) => {
    const entry = { line: `${request.method} ${request.url}`, headers: request.headers, body: '' };
    const index = asked.push(entry) - 1;
    sockets.add(request.socket);
    request.on('data', (chunk) => {
      entry.body += chunk;
    });
    request.on('end', () => answer(response, answering(request, index)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    lines: () => asked.map(({ line }) => line),
    connections: () => sockets.size,
  };
}
