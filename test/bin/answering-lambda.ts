import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { writeTemporary } from './cli.ts';

export type Event = Readonly<Record<string, unknown>>;

const PLAN = {
  tokens: [],
  databases: [],
  secrets: [],
  actions: [{ kind: 'strip', tokenId: 'x' }],
  warnings: [],
  notReached: [],
  hash: '0123456789abcdef',
};
const REPORT = { way: 'freeze', done: false, confirmed: false, unconfirmed: [], tokens: [] };

/** What `revoke` would do. */
export const previewOf = (plan: object = {}) => ({
  ...REPORT,
  dryRun: true,
  plan: { ...PLAN, ...plan },
});
/** What `revoke` did. */
export const reportOf = (report: object = {}) => ({
  ...REPORT,
  dryRun: false,
  done: true,
  confirmed: true,
  plan: PLAN,
  ...report,
});

export const FAILED = { 'x-amz-function-error': 'Unhandled' };

/** In place of Lambda's API, a server that answers as a test says. Returns the environment that finds it. */
export async function answeringLambda(
  answer: (event: Event, response: ServerResponse, url: string) => void,
): Promise<Readonly<Record<string, string>>> {
  const server = createServer(async (request, response) =>
    answer((await json(request)) as Event, response, request.url ?? ''),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  return {
    KEYTURN_POLICY: writeTemporary('keyturn.yaml', {
      owner: 'prod',
      cluster: { url: 'http://127.0.0.1:1', managementToken: 'x' },
      databases: [{ name: 't' }],
      tokens: { telegraf: { permissions: { write: ['t'] } } },
    }),
    AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  };
}
