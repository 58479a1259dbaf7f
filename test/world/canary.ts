import type { Watcher } from './world.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');

/** What of a credential would be found in a text, however somebody quoted, cut, encoded or wrapped it. */
function tracesOf(credential: string): readonly string[] {
  const parts = [credential.slice(8, 28), credential.slice(-28, -8)].filter(
    ({ length }) => length >= 12,
  );
  return [...new Set(parts)].flatMap((part) => [
    part,
    encodeURIComponent(part),
    part.replaceAll('/', '\\/'),
    Buffer.from(part).toString('hex'),
    // At each of the three places of a group of four; what stands before and behind it changes the characters beside.
    ...['', '-', '--'].map((front) => base64(front + part).slice(front === '' ? 0 : 4, -3)),
  ]);
}

export interface Canary {
  /** Stands around the effect of every request, and notes what `POST /tokens` answers. */
  readonly watcher: Watcher;
  /** The texts in which a credential of this world is found. */
  leaksIn(texts: readonly string[]): readonly string[];
}

/** Knows every credential of a world, to find it in whatever leaves its functions. */
export function createCanary(managementToken: string): Canary {
  const held = new Set([managementToken]);
  return {
    watcher({ operation }, effect) {
      const reply = effect();
      if (operation === 'POST /tokens') {
        const { accessToken } = JSON.parse(reply.body);
        if (typeof accessToken === 'string') held.add(accessToken);
      }
      return reply;
    },
    leaksIn(texts) {
      const traces = [...held].flatMap(tracesOf);
      return texts.filter((text) => traces.some((trace) => text.includes(trace)));
    },
  };
}
