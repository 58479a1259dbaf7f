import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** The connections of a server, by who sent the first request over each (`x-sandbox-caller`). */
export interface Callers {
  /**
   * Lets the connections of one caller die. It learns of each when it next sends something over it, as from a NAT
   * gateway that forgot a connection on which nothing was said for 350 seconds.
   * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
   */
  forget(caller: string): void;
}

export function watchCallers(app: FastifyInstance): Callers {
  const sockets = new Map<Socket, string>();
  const forgotten = new WeakSet<Socket>();
  app.addHook('onRequest', (request, reply, done) => {
    const { 'x-sandbox-caller': caller } = request.headers;
    const { socket } = request.raw;
    if (forgotten.has(socket)) {
      reply.hijack();
      socket.resetAndDestroy();
      return;
    }
    if (typeof caller === 'string' && !sockets.has(socket)) {
      sockets.set(socket, caller);
      socket.once('close', () => sockets.delete(socket));
    }
    done();
  });
  return {
    forget(caller) {
      for (const [socket, each] of sockets) if (each === caller) forgotten.add(socket);
    },
  };
}
