import './bin/node-24.js';
import { configDefaults, defineConfig } from 'vitest/config';

/**
 * What waits for processes of its own or for real time (the command line, the demonstration, servers that say nothing), and what
 * searches: the sample of the laboratory, whole lives, attacks on expressions.
 */
const SLOW = [
  'test/crash/**/*.test.ts',
  'test/hostile/**/*.test.ts',
  'test/docs/orders/**/*.test.ts',
  'test/{linear-expressions,start}.test.ts',
  'test/examples/programs.test.ts',
  'test/world/simulated.test.ts',
  'test/bin/{adopt,app,apply,deployed,doctor,harmless,incident,interrupted,lambda-answers,local}.test.ts',
  'test/bin/{completion,history,json,history-doers,offline,pause,report,rotate-by-name,several-strings,status}.test.ts',
  'test/bin/{takeover,unchecked-tls}.test.ts',
  'test/docs/{commands,leak,stock-app}-transcript.test.ts',
  'test/docs/tutorial.test.ts',
  'test/soak/main.test.ts',
  'test/policies/policies.test.ts',
  'test/pages/pages.test.ts',
  'test/functions/credentials-in-time.test.ts',
  'test/functions/examination/unreachable.test.ts',
  'test/functions/revocation/{faults,interleaved}.test.ts',
  'test/lib/{role-policies,rule-packs}.test.ts',
];

/**
 * Situations: what people, faults, schedules and older versions do to the functions and to the command line, many days of each, in the
 * process of the test. What is left of these folders shows that every rule is there.
 */
const SITUATIONS = [
  'test/functions/rotation/!(rotate|by-name|grants).test.ts',
  'test/functions/revocation/!(ways|repeated).test.ts',
  'test/functions/{measurement,upgrade}/*.test.ts',
  'test/functions/data-plane/until.test.ts',
  'test/{bin,examples,permissions,package}/*.test.ts',
  'test/sandbox/main.test.ts',
  // It fails without a rule as such, and must not be what misses it.
  'test/sabotage/*.test.ts',
];

/** Each synthesizes with CDK, whose rules for CloudFormation take seconds to load, so that the files of one thread share them. */
const SYNTHESIS = ['test/lib/**/*.test.ts'];

export default defineConfig({
  test: {
    // Synthesis takes a second, and several on a busy machine of two cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: '100%',
    // Concurrent tests of one file wait for servers that say nothing.
    maxConcurrency: 10,
    // `npm test` runs the quick ones, `npm run test:situations` these, and `npm run test:slow` the others, with functions that are processes.
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          pool: 'threads',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...SLOW, ...SITUATIONS, ...SYNTHESIS],
        },
      },
      {
        extends: true,
        test: {
          name: 'situations',
          pool: 'threads',
          include: SITUATIONS,
          exclude: [...configDefaults.exclude, ...SLOW],
        },
      },
      {
        extends: true,
        test: {
          name: 'situations-synthesis',
          pool: 'threads',
          isolate: false,
          include: SYNTHESIS,
          exclude: [...configDefaults.exclude, ...SLOW],
        },
      },
      // A busy machine takes over a minute for whole lives of commands.
      { extends: true, test: { name: 'slow', testTimeout: 120_000, include: SLOW } },
    ],
  },
});
