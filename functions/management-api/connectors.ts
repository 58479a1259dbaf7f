import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { buildConnector as Build } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';

/** PEM of the certificate authorities to trust instead of the public ones. */
export type Authorities = string | readonly string[] | undefined;

const known = new Map<string, Build.connector>();

function build(ca: Authorities, timeout: number): Build.connector {
  const secureContext = createSecureContext(
    // Whom the file names is trusted, with or without the root above it.
    ca === undefined
      ? {}
      : { ca: typeof ca === 'string' ? ca : [...ca], allowPartialTrustChain: true },
  );
  const connect = buildConnector({ secureContext, timeout, allowH2: false });
  // undici holds a session weakly, and would mostly have lost it by the next connection.
  const sessions = new Map<string, Buffer>();
  return (options, callback) => {
    const { hostname } = options;
    // It returns the socket, of which its types do not tell: a session may come before the connection is said to be made.
    const socket = connect(options, callback) as unknown as Socket;
    socket.on('session', (session: Buffer) => sessions.set(hostname, session));
  };
}

/**
 * Makes connections, and goes on with the TLS session of the last one to the same host. Each probe has a connection of its own, and
 * making a context and a whole handshake for each is most of what a rotation costs. Whom one has checked, the other need not: sessions
 * are of the same authorities alone.
 */
export function connectorOf(ca: Authorities, timeoutMs: number): Build.connector {
  const key = JSON.stringify([ca, timeoutMs]);
  // Not before it is needed: an authority that cannot be read is a failure of the connection.
  return (options, callback) => {
    const connect = known.get(key) ?? build(ca, timeoutMs);
    known.set(key, connect);
    connect(options, callback);
  };
}
