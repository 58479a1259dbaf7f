import './require-node-24.ts';
import { PERSON } from './aws/account.ts';
import { realClock } from './clock.ts';
import { parseFlags, usage } from './flags.ts';
import { startSandbox } from './sandbox.ts';

const flags = readFlags();
if (flags === 'help') process.stdout.write(usage);
else if (flags !== undefined) await run(flags).catch(fail);

function readFlags() {
  try {
    return parseFlags(process.argv.slice(2));
  } catch (error) {
    fail(error);
    process.stderr.write(`\n${usage}`);
    return undefined;
  }
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

/** Runs both endpoints until a signal. The only line on stdout says that they are ready. */
async function run(flags: Exclude<ReturnType<typeof parseFlags>, 'help'>): Promise<void> {
  const { cluster, aws, close } = await startSandbox({ clock: realClock, ...flags });
  process.once('SIGINT', close).once('SIGTERM', close);
  const ready = {
    clusterUrl: cluster.url,
    managementToken: cluster.managementToken,
    awsEndpointUrl: aws.url,
    region: aws.region,
    // The SDK adds to the object that it was given.
    accessKeyId: PERSON.accessKeyId,
    secretAccessKey: PERSON.secretAccessKey,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
