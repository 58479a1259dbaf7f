import '../sandbox/require-node-24.ts';
import { isProbe, openBench } from './world.ts';

/** What the two runs of one rotation ask, in their order, beside what a run asks that finds nothing to do. */
const DAY_MS = 86_400_000;
const OF_EVERY_RUN = ['ListSecrets', 'GetSchedule', 'GET /tokens', 'PutEvents'];

const bench = await openBench({ tokens: 1, writesPerSecond: 20 });
const { clock, cluster, aws } = bench;
const print = (text: string) => process.stdout.write(`${text}\n`);
let isShown = false;
let last = '';
const show = (operation: string, about = '') => {
  const text = `  ${isProbe(operation) ? 'probes' : operation} ${about}`.trimEnd();
  const isOfEveryRun = OF_EVERY_RUN.includes(operation) || about === 'keyturn/management-token';
  if (isShown && !isOfEveryRun && !(isProbe(operation) && text === last)) print(text);
  last = text;
};
for (const server of [aws, cluster]) {
  const { intercept } = server;
  server.intercept = (call, effect) => {
    show(call.operation, call.subject);
    return intercept(call, effect);
  };
}
await bench.issueFirst();
await clock.runUntil(clock.now() + 31 * DAY_MS);
isShown = true;
for (const run of ['mint and arm', 'promote']) {
  print(run);
  await bench.run('rotate');
  await clock.runUntil(clock.now() + DAY_MS / 48);
}
await bench.close();
