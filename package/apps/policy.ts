import type { PolicyDocument } from '@keyturn/cdk';

/** A policy that a program writes. */
export const policyOf = (owner: string, url = `https://${owner}.example.com`): PolicyDocument => ({
  owner,
  cluster: { url, managementToken: 'keyturn/management-token' },
  defaults: { rotateEvery: '14d', windows: ['Mon-Fri 09:00-17:00'] },
  databases: [{ name: 'telemetry', retention: '30d' }],
  tokens: { telegraf: { permissions: { read: ['telemetry'], write: ['telemetry'] } } },
});
