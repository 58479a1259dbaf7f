/** The process of a function. It loads the handler and calls it, one event at a time. */
import { readSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { functionError, type Handler, loadHandler } from './load-handler.ts';
import { endOfInvocation, type FromWorker, THAW, type ToWorker } from './messages.ts';
import { type OutgoingRequests, watchRequests } from './requests.ts';
import { startVirtualTime, type VirtualTime } from './virtual-time.ts';

const report = (message: FromWorker) => process.send?.(message);
let time: VirtualTime | undefined;
let handler: Promise<Handler>;

process.on('disconnect', () => process.exit());
process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      start(message);
      break;
    case 'invoke':
      invoke(message);
      break;
    case 'wake':
      time?.set(message.now, message.turn);
      break;
    case 'held':
      time?.set(message.now, message.turn);
      time?.held(message.change);
      report({ kind: 'held', turn: message.turn });
      break;
    default:
      message satisfies never;
  }
});

function start({
  instanceId,
  module,
  exportName,
  now,
  cpuFactor,
}: ToWorker & { kind: 'start' }): void {
  const requests: OutgoingRequests = watchRequests(instanceId, () => time?.changed());
  if (now !== undefined) time = startVirtualTime(now, cpuFactor, () => requests, report);
  handler = loadHandler(module, exportName);
  // The invocation that waits for the handler reports its error.
  handler.catch(() => {});
}

async function invoke(message: ToWorker & { kind: 'invoke' }): Promise<void> {
  const { requestId } = message;
  if (message.now !== undefined) time?.set(message.now, message.turn);
  time?.invoking(true);
  try {
    const call = await handler;
    const result = await call(JSON.parse(message.event), contextOf(message));
    const json = JSON.stringify(result) ?? 'null';
    finish({ kind: 'result', requestId, result: json, workedUntil: time?.now });
  } catch (error) {
    finish({ kind: 'error', requestId, error: functionError(error), workedUntil: time?.now });
  }
}

async function finish(answer: FromWorker & { kind: 'result' | 'error' }): Promise<void> {
  time?.invoking(false);
  const written = [process.stdout, process.stderr].map(
    (stream) =>
      new Promise((done) => stream.write(`\n${endOfInvocation(answer.requestId)}\n`, done)),
  );
  const sent = new Promise((done) => process.send?.(answer, done));
  // Now, because the process ends by SIGKILL. Does nothing after the first invocation.
  flushCompileCache();
  await Promise.all([...written, sent]);
  freeze();
}

/** Nothing runs in this process until its next invocation; none comes when the host has ended. */
function freeze(): void {
  if (readSync(THAW, Buffer.alloc(1)) === 0) process.exit();
}

function contextOf({ requestId, functionArn, deadlineAt }: ToWorker & { kind: 'invoke' }) {
  const { env } = process;
  return {
    awsRequestId: requestId,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: functionArn,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineAt - Date.now()),
  };
}
