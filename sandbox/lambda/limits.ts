import { readFileSync } from 'node:fs';
import type { Answer } from './messages.ts';

/** Of a request that waits for its answer, and of the answer: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_PAYLOAD = 6_291_556;
/** Of an event that waits in Lambda's queue. */
const MAX_EVENT = 1_048_576;

/** Throws if the event is longer than Lambda takes. */
export function refuseLongEvent(event: unknown, isAsynchronous = false): void {
  const most = isAsynchronous ? MAX_EVENT : MAX_PAYLOAD;
  const size = Buffer.byteLength(JSON.stringify(event) ?? 'null');
  if (size <= most) return;
  throw Object.assign(
    new Error(`${size} byte payload is too large for the Invoke operation (limit ${most} bytes)`),
    { name: 'RequestTooLargeException' },
  );
}

/** What Lambda makes of a handler's result, which is JSON. */
export function answerOf(result: string): Answer {
  if (Buffer.byteLength(result) <= MAX_PAYLOAD) return { result: JSON.parse(result) };
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD} bytes).`;
  return { error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage, trace: [] } };
}

const HAS_ENDED = ['ENOENT', 'ESRCH'];

/** The most memory that a process ever had, in MB; 0 if it has ended, and where the system does not tell, as macOS. */
export function peakMemoryMb(pid: number | undefined): number {
  if (process.platform !== 'linux' || pid === undefined) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch (error) {
    if (!HAS_ENDED.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return 0;
  }
}
