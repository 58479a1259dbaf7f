import type { ServerResponse } from 'node:http';
import type { Asked, Behaviour } from './gateway.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** Writes raw bytes in place of an answer. */
const raw =
  (write: (say: (text: string) => boolean, end: () => void) => void): Behaviour =>
  ({ socket }) => {
    if (!socket) return;
    write(
      (text) => !socket.destroyed && socket.write(text),
      () => socket.end(),
    );
  };

const answering =
  (
    status: number,
    body: string,
    headers: Readonly<Record<string, string>> = JSON_TYPE,
  ): Behaviour =>
  (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

/** Says the same each 100 ms until nobody listens. */
function again(response: ServerResponse, say: () => void): void {
  const timer = setInterval(say, 100);
  response.socket?.once('close', () => clearInterval(timer));
}

/** Says the same for as long as somebody reads. */
function flood(response: ServerResponse, text: string): void {
  const pour = () => {
    while (response.socket?.destroyed === false) if (!response.write(text)) return;
  };
  response.on('drain', pour);
  pour();
}

/** An error that repeats what was asked, with its credentials. */
const echo =
  (write: (text: string) => string): Behaviour =>
  (response, { headers, body }: Asked) => {
    const message = `cannot read ${write(`${headers.authorization} ${body}`)}`;
    response.writeHead(400, { ...JSON_TYPE, 'x-amzn-errortype': 'ValidationException' });
    response.end(JSON.stringify({ code: 400, message, __type: 'ValidationException' }));
  };

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

/** What a server may do that is broken, in the way, or an enemy. */
export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'says nothing': () => {},
  'says a head and then nothing': (response) => {
    response.writeHead(200, JSON_TYPE);
    response.flushHeaders();
  },
  'trickles a body': (response) => {
    response.writeHead(200, JSON_TYPE);
    again(response, () => response.write(' '));
  },
  'trickles a head': (response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n');
    again(response, () => response.socket?.write('x'));
  },
  'trickles an error': (response) => {
    response.writeHead(503, JSON_TYPE);
    again(response, () => response.write(' '));
  },
  'says that it will go on, without end': (response) => {
    again(response, () => response.writeContinue());
  },
  'pours a body without end': (response) => {
    response.writeHead(200, JSON_TYPE);
    flood(response, ' '.repeat(65_536));
  },
  'pours an error without end': (response) => {
    response.writeHead(500, { 'content-type': 'text/html' });
    flood(response, '<'.repeat(65_536));
  },
  'pours headers without end': (response) => {
    const { socket } = response;
    if (!socket) return;
    const pour = () => {
      while (!socket.destroyed) if (!socket.write(`x-more: ${'x'.repeat(8_000)}\r\n`)) return;
    };
    socket.write('HTTP/1.1 200 OK\r\n');
    socket.on('drain', pour);
    pour();
  },
  'hangs up': ({ socket }) => socket?.resetAndDestroy(),
  'hangs up within the body': (response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' });
    response.write('{"', () => response.socket?.destroy());
  },
  'speaks another protocol': raw((say, end) => {
    say('220 mail.example.com ESMTP\r\n');
    end();
  }),
  'breaks its chunks': raw((say) => say(`${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`)),
  'gives two lengths': raw((say) => say(`${HEAD}content-length: 2\r\ncontent-length: 9\r\n\r\n{}`)),
  'shows a page of success': answering(200, '<html>Log in</html>', { 'content-type': 'text/html' }),
  'shows a page of failure': answering(502, '<html>Bad Gateway</html>', {
    'content-type': 'text/html',
  }),
  'answers nothing, with success': answering(200, ''),
  'answers an empty object': answering(200, '{}'),
  'answers null': answering(200, 'null'),
  'answers arrays within arrays': answering(200, '['.repeat(1_000_000)),
  'answers a string of 70 MB': (response) => {
    response.writeHead(200, JSON_TYPE);
    response.end(`"${'x'.repeat(70 * 1024 * 1024)}"`);
  },
  'answers in prototypes': answering(200, '{"__proto__":{"tokens":[]},"constructor":1}'),
  'sends elsewhere': answering(307, '', { location: 'http://127.0.0.1:9/' }),
  'asks to come back tomorrow': answering(429, '{"__type":"ThrottlingException"}', {
    ...JSON_TYPE,
    'retry-after': '86400',
    'x-amzn-errortype': 'ThrottlingException',
  }),
  'repeats the request': echo((text) => text),
  'repeats the request in base64': echo((text) => Buffer.from(text).toString('base64')),
  'repeats the request as HTML': echo((text) =>
    text.replace(/[^A-Za-z0-9]/g, (each) => `&#${each.charCodeAt(0)};`),
  ),
};
