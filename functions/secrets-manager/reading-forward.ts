import type { Timing } from '../retry.ts';
import type { Secret } from './secret.ts';
import type { Secrets } from './secrets.ts';

/** Waits before a stale description is read again. */
const WAITS_MS = [1_000, 2_000, 4_000, 8_000];

/**
 * Secrets Manager's reads may lag behind its writes. Within one run a description never goes back in time:
 * one that lacks a version which this run has put, or is older than one that it has read before, is stale,
 * and is read again. What stays stale is used as it is: somebody may have removed the label.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html ("eventual consistency")
 */
export function readingForward(secrets: Secrets, { sleep }: Pick<Timing, 'sleep'>): Secrets {
  const newest = new Map<string, number>();
  const written = new Map<string, string>();

  const isStale = ({ name, changedAt, labels }: Secret) => {
    const version = written.get(name);
    const lacks = version !== undefined && !Object.values(labels).includes(version);
    return lacks || changedAt < (newest.get(name) ?? 0);
  };

  return {
    ...secrets,
    async describe(name) {
      let secret = await secrets.describe(name);
      for (const waitMs of WAITS_MS) {
        if (!secret || !isStale(secret)) break;
        await sleep(waitMs);
        secret = await secrets.describe(name);
      }
      // Somebody took the label off: nothing will bring it back.
      if (secret && isStale(secret)) written.delete(secret.name);
      if (secret) newest.set(secret.name, Math.max(secret.changedAt, newest.get(secret.name) ?? 0));
      return secret;
    },
    async put(name, version, value, label) {
      written.set(name, version);
      await secrets.put(name, version, value, label);
    },
    async moveLabel(name, label, move) {
      if (move.to === undefined && written.get(name) === move.from) written.delete(name);
      await secrets.moveLabel(name, label, move);
    },
  };
}
