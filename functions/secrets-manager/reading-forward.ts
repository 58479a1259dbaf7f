import type { Timing } from '../retry.ts';
import { MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import type { Secret } from './secret.ts';
import type { Secrets } from './secrets.ts';

/** Waits before what is stale is read again. */
const WAITS_MS = [1_000, 2_000, 4_000, 8_000];

/** No read lags longer: `ListSecrets` may miss the last five minutes. */
const MOST_LATE_MS = 5 * MINUTE_MS;

/**
 * Secrets Manager's reads may lag behind its writes. Within one run a description never goes back in time:
 * one that lacks a version or a tag which this run has put, or is older than one that it has read before, is stale,
 * and is read again. What stays stale is used as it is: somebody may have removed the label.
 * A version's value is read once, because it stays what it is. One that is not found is read again, and more than once if its
 * secret was changed of late: whoever asks for it has seen its version. Secrets Manager's own rotation makes versions that have none, and leaves them if it fails.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html ("eventual consistency")
 */
export function readingForward(
  secrets: Secrets,
  { now, sleep }: Pick<Timing, 'now' | 'sleep'>,
): Secrets {
  /** When secrets were last changed, as far as this run has seen. */
  const changed = new Map<string, number>();
  const newest = new Map<string, number>();
  const written = new Map<string, string>();
  /** Tags that this run has put. */
  const tagged = new Map<string, readonly string[]>();
  /** What a version has, nobody can change: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html */
  const texts = new Map<string, TokenValue>();
  /** Versions that had no value, however often they were read. */
  const empty = new Set<string>();

  const see = ({ name, changedAt }: Secret) =>
    changed.set(name, Math.max(changedAt, changed.get(name) ?? 0));
  const waitsFor = (name: string) =>
    now() - (changed.get(name) ?? now()) < MOST_LATE_MS ? WAITS_MS : WAITS_MS.slice(0, 1);

  const isStale = ({ name, changedAt, labels, tags }: Secret) => {
    const version = written.get(name);
    const lacks = version !== undefined && !Object.values(labels).includes(version);
    const lacksTag = (tagged.get(name) ?? []).some((key) => tags[key] === undefined);
    return lacks || lacksTag || changedAt < (newest.get(name) ?? 0);
  };

  return {
    ...secrets,
    async list(owner) {
      const listed = await secrets.list(owner);
      listed.forEach(see);
      return listed;
    },
    async describe(name) {
      let secret = await secrets.describe(name);
      for (const waitMs of WAITS_MS) {
        if (!secret || !isStale(secret)) break;
        await sleep(waitMs);
        secret = await secrets.describe(name);
      }
      // Somebody took the label, or the tag, off: nothing will bring it back.
      if (secret && isStale(secret)) {
        written.delete(secret.name);
        tagged.delete(secret.name);
      }
      if (secret) {
        see(secret);
        newest.set(secret.name, Math.max(secret.changedAt, newest.get(secret.name) ?? 0));
      }
      return secret;
    },
    async value(name, version) {
      const key = `${name} ${version}`;
      const known = texts.get(key);
      if (known) return known;
      let text = await secrets.value(name, version);
      for (const waitMs of empty.has(key) ? [] : waitsFor(name)) {
        if (text) break;
        await sleep(waitMs);
        text = await secrets.value(name, version);
      }
      if (!text) empty.add(key);
      else if (version !== undefined) texts.set(key, text);
      return text;
    },
    async put(name, version, value, label) {
      written.set(name, version);
      await secrets.put(name, version, value, label);
    },
    async tag(name, tags) {
      await secrets.tag(name, tags);
      tagged.set(name, [...(tagged.get(name) ?? []), ...Object.keys(tags)]);
    },
    async untag(name, keys) {
      const left = (tagged.get(name) ?? []).filter((key) => !keys.includes(key));
      tagged.set(name, left);
      await secrets.untag(name, keys);
    },
    async moveLabel(name, label, move) {
      if (move.to === undefined && written.get(name) === move.from) written.delete(name);
      await secrets.moveLabel(name, label, move);
    },
  };
}
