/** The process of the embedded cluster and its AWS behind TLS: what they take is not counted as the functions'. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked, Respond } from '../sandbox/asked.ts';
import type { Interceptor } from '../sandbox/interception.ts';
import { createManagementSecret } from '../sandbox/management-secret.ts';
import { createSandbox } from '../sandbox/sandbox.ts';
import { cannedListings } from './canned.ts';
import { fleetOf, type Issued, namesOf, withSecrets } from './fleet-state.ts';

const MANAGEMENT_SECRET = 'keyturn/management-token';

let aheadMs = 0;
let latencyMs = 0;
const { cluster, aws } = createSandbox({ clock: { now: () => Date.now() + aheadMs } });

/** A request as it came, and what it was answered. */
export interface Recorded {
  readonly server: 'cluster' | 'aws';
  /** Of a run as such, however many tokens it rotates. */
  readonly isOfRun: boolean;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly begun: number;
  ended: number;
  status: number;
  answer: string;
}
let recorded: Recorded[] = [];
let isRecording = false;
const OF_RUNS = ['GET /tokens', 'GET /databases', 'ListSecrets', 'PutEvents', 'GetSchedule'];
const ofRuns = new WeakSet<object>();
let lastAsked: object | undefined;
/** It is called in the same turn as the server that it looks at. */
const watch: Interceptor = ({ operation, subject }, effect) => {
  const isOfRun = OF_RUNS.includes(operation) || subject === MANAGEMENT_SECRET;
  if (isOfRun && lastAsked) ofRuns.add(lastAsked);
  return Promise.resolve(effect());
};
cluster.intercept = watch;
aws.intercept = watch;

const REPLAY = /^\/replay\/(\d+)$/;
const replies = new Map<number, Pick<Recorded, 'status' | 'answer'>>();

let canned: ReturnType<typeof cannedListings> | undefined;

async function answerTo(server: Recorded['server'], respond: Respond, asked: Asked) {
  const begun = performance.now();
  await sleep(latencyMs);
  const [, index] = REPLAY.exec(asked.url) ?? [];
  const known = index === undefined ? undefined : replies.get(Number(index));
  if (known) return { status: known.status, body: known.answer, headers: {} };
  const listed = canned?.(asked);
  if (listed) return listed;
  lastAsked = asked;
  const reply = await respond(asked);
  if (reply === 'reset') throw new Error('the sandbox reset a connection');
  if (isRecording) {
    const { host, connection, 'content-length': length, ...headers } = asked.headers;
    recorded.push({
      server,
      isOfRun: ofRuns.has(asked),
      method: asked.method,
      headers: headers as Record<string, string>,
      body: asked.body.toString(),
      begun,
      ended: performance.now(),
      status: reply.status,
      answer: reply.body,
    });
  }
  return reply;
}

async function listen(server: Recorded['server'], respond: Respond): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers, socket } = request;
    const body = await buffer(request);
    const reply = await answerTo(server, respond, {
      method,
      url,
      headers,
      body,
      connection: socket,
    });
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body);
  };
  const { BENCH_CERT: cert, BENCH_KEY: key } = process.env;
  const keeping = { keepAliveTimeout: 60_000 };
  const app = cert
    ? createTlsServer({ cert, key, ...keeping }, answer)
    : createServer(keeping, answer);
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  return `${cert ? 'https' : 'http'}://127.0.0.1:${(app.address() as AddressInfo).port}`;
}

const urls = {
  cluster: await listen('cluster', cluster.respond),
  aws: await listen('aws', aws.respond),
};
await createManagementSecret(
  { url: urls.aws, region: aws.region },
  MANAGEMENT_SECRET,
  cluster.managementToken,
);
const empty = { aws: aws.snapshot(), cluster: cluster.snapshot() };

/** What the process that started this one may ask. */
const ORDERS = {
  start: () => ({ ...urls, region: aws.region, credentials: aws.credentialsOf('bench') }),
  /** A fleet as if it had been issued just now. */
  seed(issued: Issued, tokens: number) {
    const fleet = fleetOf(issued, namesOf(tokens), urls.cluster);
    cluster.restore({ ...empty.cluster, tokens: fleet.map(({ token }) => token) });
    aws.restore(
      withSecrets(
        empty.aws,
        fleet.map(({ secret }) => secret),
      ),
    );
  },
  /** Listings of so many tokens, which no other request changes. */
  list(issued: Issued, tokens: number) {
    canned = cannedListings(issued, tokens, urls.cluster);
  },
  set(to: { readonly aheadMs?: number; readonly latencyMs?: number; readonly record?: boolean }) {
    aheadMs = to.aheadMs ?? aheadMs;
    latencyMs = to.latencyMs ?? latencyMs;
    isRecording = to.record ?? isRecording;
  },
  recorded() {
    const taken = recorded;
    recorded = [];
    return taken;
  },
  replay(answers: readonly Pick<Recorded, 'status' | 'answer'>[]) {
    for (const [index, reply] of answers.entries()) replies.set(index, reply);
  },
  counted: () => ({
    rotated: aws.state.events.filter(({ detailType }) => detailType === 'Token Rotated').length,
  }),
};

export type Orders = typeof ORDERS;

process.on('disconnect', () => process.exit());
process.on('message', (message: { order: keyof Orders; given: unknown[] }) => {
  const carryOut = ORDERS[message.order] as (...given: unknown[]) => unknown;
  process.send?.({ answer: carryOut(...message.given) });
});
process.send?.('ready');
