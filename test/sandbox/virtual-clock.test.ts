import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';

const startAt = Date.UTC(2025, 0, 1);

/** A clock and a diary whose entries bear the milliseconds since the start. */
function setUp() {
  const clock = new VirtualClock(startAt);
  const diary: string[] = [];
  const note = (text: string) => diary.push(`${clock.now() - startAt} ${text}`);
  return { clock, diary, note };
}

describe('a virtual clock', () => {
  it('stands still while code outside any strand works', async () => {
    const { clock } = setUp();
    clock.at(startAt + 1, () => {});
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(clock.now()).toBe(startAt);
  });

  it('moves straight to each wake-up, and wakes only who is due', async () => {
    const { clock, diary, note } = setUp();
    const strand = (name: string, ...sleeps: readonly number[]) =>
      clock.spawn(name, async () => {
        for (const ms of sleeps) {
          await clock.sleep(ms);
          note(name);
        }
      });
    await clock.waitFor(
      Promise.all([strand('a', 10, 20), strand('b', 15, 15), strand('c', 86_400_000)]),
    );
    expect(diary).toEqual(['10 a', '15 b', '30 a', '30 b', '86400000 c']);
  });

  it('waits for a strand that does real work', async () => {
    const { clock, diary, note } = setUp();
    const worker = clock.spawn('worker', async () => {
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      note('worked');
    });
    await clock.waitFor(Promise.all([worker, clock.after(1)]));
    expect(diary).toEqual(['0 worked']);
    expect(clock.now()).toBe(startAt + 1);
  });

  it('lets a strand wait for another one', async () => {
    const { clock, diary, note } = setUp();
    const inner = () =>
      clock.spawn('inner', async () => {
        await clock.sleep(5);
        note('inner');
      });
    const outer = clock.spawn('outer', async () => {
      await clock.waitFor(inner());
      note('outer');
      await clock.sleep(1);
    });
    await clock.waitFor(outer);
    expect(diary).toEqual(['5 inner', '5 outer']);
    expect(clock.now()).toBe(startAt + 6);
  });

  it('rejects an aborted sleep with the reason, and forgets it', async () => {
    const { clock } = setUp();
    const controller = new AbortController();
    const sleeper = clock.spawn('sleeper', () => clock.sleep(1_000, controller.signal));
    clock.at(startAt + 3, () => controller.abort(new Error('enough')));
    await expect(clock.waitFor(sleeper)).rejects.toThrow('enough');
    expect(clock.now()).toBe(startAt + 3);
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow('enough');
  });

  it('stands at the instant that it was run to, with everything due there done', async () => {
    const { clock, diary, note } = setUp();
    const endless = async () => {
      for (;;) {
        await clock.sleep(10);
        note('tick');
      }
    };
    clock.spawn('endless', endless);
    await clock.runUntil(startAt + 20);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(diary).toEqual(['10 tick', '20 tick']);
    expect(clock.now()).toBe(startAt + 20);
    await clock.runUntil(startAt + 25);
    expect(clock.now()).toBe(startAt + 25);
  });

  it('keeps a schedule, whether or not the last run has ended', async () => {
    const { clock, diary, note } = setUp();
    const cancel = clock.every(100, 'run', async () => {
      note('start');
      await clock.sleep(150);
      note('end');
    });
    await clock.runUntil(startAt + 250);
    cancel();
    await clock.runUntil(startAt + 1_000);
    expect(diary).toEqual(['100 start', '200 start', '250 end', '350 end']);
  });

  it('does not call back what was cancelled, even by something due at the same instant', async () => {
    const { clock, diary, note } = setUp();
    clock.at(startAt + 5, () => cancel());
    const cancel = clock.at(startAt + 5, () => note('cancelled'));
    await clock.runUntil(startAt + 10);
    expect(diary).toEqual([]);
  });

  it('goes on without a strand whose request is held back', async () => {
    const { clock, diary, note } = setUp();
    const { promise: answer, resolve: reply } = Promise.withResolvers<void>();
    const asker = clock.spawn('asker', async () => {
      await answer;
      note('answered');
    });
    const interceptor = clock.heldBack('asker', clock.after(500)).then(reply);
    await clock.waitFor(Promise.all([asker, interceptor]));
    expect(diary).toEqual(['500 answered']);
  });

  it('names who keeps it from moving', async () => {
    const { clock } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    const strands = [clock.spawn('stuck', () => promise), clock.spawn('stuck', () => promise)];
    expect(clock.busy).toEqual(['main', 'stuck', 'stuck 2']);
    resolve();
    await clock.waitFor(Promise.all(strands));
    expect(clock.busy).toEqual(['main']);
  });
});
