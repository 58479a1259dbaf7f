import { parse } from 'smol-toml';
import { expect, test } from 'vitest';
import { configOf } from '../../e2e/real/telegraf.ts';

test("the real Telegraf runs the example's configuration, but for its place and its pace", () => {
  const of = (...given: Parameters<typeof configOf>) => parse(configOf(...given));
  const elsewhere = of('/tmp/x', 'http://localhost:1', 'other');
  expect(elsewhere).toEqual({
    agent: { interval: '1s', flush_interval: '1s', precision: '1ms', omit_hostname: true },
    secretstores: { docker: [{ id: 'keyturn', path: '/tmp/x', dynamic: true }] },
    inputs: { internal: [{}] },
    outputs: {
      influxdb_v2: [
        {
          urls: ['http://localhost:1'],
          token: '@{keyturn:telegraf}',
          organization: '',
          bucket: 'other',
        },
      ],
    },
  });
});
