import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { awsCalls, awsClient, isThrottled } from '../../../functions/aws-call.ts';
import { MINUTE_MS } from '../../../functions/time.ts';
import { sentenceOf } from '../failure.ts';

/** A line that one of the functions logged, of the form that all of them have. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** An instance of the function, which has one run at a time. */
  readonly stream: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Of a failure. */
  readonly error?: string;
}

/** What one log group had. */
export interface GroupRead {
  /** Name of the function without its prefix: `rotate`. */
  readonly job: string;
  readonly group: string;
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** Of all lines, whatever their form. */
  readonly oldestAt?: number;
  /** Why it was not read, or not to its end. Absent: it was. */
  readonly why?: string;
}

/** How much of one group is read at most. */
export interface ReadLimits {
  readonly pages: number;
  readonly ms: number;
}

/** A page has up to 10,000 lines: a fleet of a thousand tokens has about as many in a day. */
const LIMITS: ReadLimits = { pages: 500, ms: 3 * MINUTE_MS };
/** Newest first is refused for what begins before: API_FilterLogEvents.html (startFromHead). */
const EARLIEST = Date.UTC(2024, 0, 1);
/** Five requests a second may be an account's whole quota, and others use it, too: throttling is waited for, to the deadline. */
const ATTEMPTS = 100;

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

function parsed(message: string): Readonly<Record<string, unknown>> {
  try {
    return asRecord(JSON.parse(message));
  } catch {
    return {};
  }
}

/** Undefined: a line of Lambda's own, of Node.js, or of metrics. */
function lineOf(event: {
  readonly message?: string | undefined;
  readonly timestamp?: number | undefined;
  readonly logStreamName?: string | undefined;
}): LogLine | undefined {
  const { message = '', timestamp = 0, logStreamName: stream = '' } = event;
  const { message: said, details, timestamp: instant, error } = parsed(message);
  if (typeof said !== 'string' || typeof details !== 'object') return undefined;
  const at = Date.parse(String(instant));
  const { message: why } = asRecord(error);
  return {
    at: Number.isNaN(at) ? timestamp : at,
    stream,
    message: said,
    details: asRecord(details),
    ...(typeof why === 'string' && { error: why }),
  };
}

function refusal(error: unknown, group: string): string {
  const { name } = error instanceof Error ? error : { name: '' };
  if (name === 'ResourceNotFoundException') {
    return `there is no log group ${group} in this account and Region: its function never ran here, or has another prefix (--function-prefix)`;
  }
  if (/AccessDenied|NotAuthorized/.test(name)) {
    return `${sentenceOf(error)}; your own credentials need logs:FilterLogEvents on ${group}`;
  }
  return sentenceOf(error);
}

/** Those of one millisecond keep their order, in whichever direction they came. */
function oldestFirst(lines: readonly LogLine[]): readonly LogLine[] {
  const isAscending = (lines[0]?.at ?? 0) < (lines.at(-1)?.at ?? 0);
  return (isAscending ? lines : lines.toReversed()).toSorted((a, b) => a.at - b.at);
}

/** The reading of a log group, page by page. */
async function* pagesOf(
  client: CloudWatchLogsClient,
  group: string,
  since: number,
  limits: ReadLimits,
) {
  const now = () => Date.now();
  const deadline = now() + limits.ms;
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const timing = { now, sleep, random: () => Math.random(), deadline: () => deadline };
  const calls = awsCalls({ ...timing, timeoutMs: MINUTE_MS / 2 });
  const patient = awsCalls({ ...timing, attempts: ATTEMPTS });
  let nextToken: string | undefined;
  for (let page = 0; page < limits.pages; page += 1) {
    const command = new FilterLogEventsCommand({
      logGroupName: group,
      startTime: Math.max(since, EARLIEST),
      startFromHead: false,
      nextToken,
    });
    const ask = () => calls.ask(`FilterLogEvents of ${group}`, (how) => client.send(command, how));
    const { events = [], nextToken: next } = await patient.again(
      () => calls.again(ask),
      isThrottled,
    );
    yield events;
    // An empty page ends nothing, as long as it has a token.
    if (!next) return;
    nextToken = next;
  }
  throw new Error(`after ${limits.pages} pages more is left; ask for less (--since)`);
}

/**
 * All lines of a log group since an instant, newest page first, so that what a limit cuts is what is oldest. Never rejects: why
 * a group was not read, or not to its end, is in the answer beside what was.
 */
async function readGroup(
  client: CloudWatchLogsClient,
  { job, group }: Pick<GroupRead, 'job' | 'group'>,
  since: number,
  limits: ReadLimits,
): Promise<GroupRead> {
  const lines: LogLine[] = [];
  let oldestAt = Number.POSITIVE_INFINITY;
  let why: string | undefined;
  let isBegun = false;
  try {
    for await (const events of pagesOf(client, group, since, limits)) {
      isBegun = true;
      lines.push(...events.flatMap((event) => lineOf(event) ?? []));
      oldestAt = Math.min(oldestAt, ...events.flatMap(({ timestamp }) => timestamp ?? []));
    }
  } catch (error) {
    why = `${isBegun ? 'read in part: ' : ''}${refusal(error, group)}`;
  }
  return {
    job,
    group,
    lines: oldestFirst(lines),
    ...(Number.isFinite(oldestAt) && { oldestAt }),
    ...(why !== undefined && { why }),
  };
}

/** @param prefix of the functions' names: `keyturn-prod-` */
export async function readLogs(
  jobs: readonly string[],
  prefix: string,
  since: number,
  limits: ReadLimits = LIMITS,
): Promise<readonly GroupRead[]> {
  const client = awsClient(CloudWatchLogsClient, {});
  const groups = jobs.map((job) => ({ job, group: `/aws/lambda/${prefix}${job}` }));
  return await Promise.all(groups.map((each) => readGroup(client, each, since, limits)));
}
