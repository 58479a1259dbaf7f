import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { JOBS } from '../world/jobs.ts';
import type { Deployment } from '../world/world.ts';

/** Just so much of Lambda's API as an invocation needs, until the test ends. Returns its address. */
export async function serveLambda(
  deployment: Deployment,
  atEnd: (close: () => void) => void = onTestFinished,
): Promise<string> {
  // One at a time: the clock belongs to one strand of this process.
  let queue: Promise<unknown> = Promise.resolve();
  const server = createServer(async (request, response) => {
    const [, name] = /functions\/keyturn-prod-([a-z-]+)\/invocations/.exec(request.url ?? '') ?? [];
    const job = JOBS.find((each) => each === name);
    if (!job) {
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' });
      return response.end('{"Message":"Function not found"}');
    }
    const event = (await json(request)) as object;
    const answered = queue.then(() => deployment.invoke(job, event));
    queue = answered;
    const { error, result } = await answered;
    response.writeHead(200, error ? { 'x-amz-function-error': 'Unhandled' } : {});
    return response.end(JSON.stringify(error ?? result));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
