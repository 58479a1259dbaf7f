/**
 * The process of a function: it loads the bundle, carries out one event after the other, and says what each took. Plain JavaScript, so
 * that nothing is in its memory but Node.js and the function.
 */
const { env } = process;
let aheadMs = 0;
/** Dates are as far ahead as the servers'. */
async function shiftDates() {
  const { replaceDate } = await import('../sandbox/lambda/replace-globals.ts');
  const { now } = Date;
  replaceDate(() => now() + aheadMs);
}
/** The waits of a limiter, and between two attempts, pass at once; what waits longer is a limit of the run. */
const LONGEST_WAIT_MS = 60_000;
if (env.BENCH_WAITS === 'none') {
  const timers = require('node:timers/promises');
  const { setTimeout: sleep } = timers;
  timers.setTimeout = (ms, ...others) => sleep(ms < LONGEST_WAIT_MS ? 0 : ms, ...others);
}

const { handler } = require(`${env.LAMBDA_TASK_ROOT}/index.js`);
const context = { getRemainingTimeInMillis: () => 900_000 };

/** How often each result occurs in an answer, which may have left out what is too long for Lambda. */
function resultsOf({ outcomes = [], plan, entries = [], leftOut = [] }) {
  const lengthOf = (name, list) => leftOut.find(({ list: of }) => of === name)?.of ?? list.length;
  const counted = {
    planned: lengthOf('plan.actions', plan?.actions ?? []),
    entries: lengthOf('entries', entries),
  };
  for (const { result } of outcomes) counted[result] = (counted[result] ?? 0) + 1;
  return counted;
}

/** CPU since then, in milliseconds. */
function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Calls back when a run says what it will do. */
function whenPlanned(then) {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = (text, ...others) => {
    if (String(text).includes('"message":"planned"')) then();
    return write(text, ...others);
  };
}

async function take({ event, ahead = 0 }) {
  aheadMs = ahead;
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  let plannedMs = 0;
  onPlanned = () => {
    plannedMs = cpuSince(cpu);
  };
  const answer = await handler(event, context);
  return {
    cpuMs: cpuSince(cpu),
    plannedMs,
    wallMs: performance.now() - wall,
    peakMb: process.resourceUsage().maxRSS / 1_000,
    results: resultsOf(answer),
  };
}

let onPlanned = () => {};
whenPlanned(() => onPlanned());

/** JSON.parse of the texts that are at this address, at its best. */
async function parse(url) {
  const texts = await new Promise((resolve, reject) => {
    require('node:http').get(url, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString())));
      response.on('error', reject);
    });
  });
  const rounds = Array.from({ length: 3 }, () => {
    const cpu = process.cpuUsage();
    for (const text of texts) JSON.parse(text);
    return cpuSince(cpu);
  });
  return { cpuMs: Math.min(...rounds), wallMs: 0, peakMb: 0, results: {} };
}

process.on('disconnect', () => process.exit());
const ready = env.BENCH_DATES === 'ahead' ? shiftDates() : Promise.resolve();
process.on('message', async (given) => {
  await ready;
  try {
    process.send({ answer: await (given.parse ? parse(given.parse) : take(given)) });
  } catch (error) {
    process.send({ error: `${error.stack}` });
  }
});
