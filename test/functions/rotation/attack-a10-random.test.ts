import { expect, test } from 'vitest';
import { openWorld } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { acts } from '../../crash/acts.ts';

const named = { tokens: ['telegraf'], force: true };
const rng = (seed: number) => () => { seed = (seed * 1664525 + 1013904223) >>> 0; return seed / 2 ** 32; };
const MODE = process.env.ATT ?? 'F';
const FROM = Number(process.env.FROM ?? 1), COUNT = Number(process.env.COUNT ?? 100);

async function life(seed: number): Promise<string | undefined> {
  const r = rng(seed * 7919); r(); r(); r();
  const pick = <T>(xs: readonly T[]): T => xs[Math.floor(r() * xs.length)]!;
  const world = await openWorld(policyWith({ telegraf: writer }));
  const trace: string[] = [];
  const reign = new Map<string, number>();
  const gone = new Set<string>(); // ended by orders
  const isLive = (id: string) => world.cluster.state.tokens.some((t: any) => t.id === id && t.revokedAt === undefined && t.permissions.length > 0);
  const look = () => { const c = world.holders(TELEGRAF).AWSCURRENT; if (c) reign.set(c, world.clock.now()); };
  const note = () => { for (const id of reign.keys()) if (!isLive(id)) gone.add(id); };
  let last = '';
  const rotate = async () => { look(); const a = await world.rotate(); last = a.result?.entries?.[0]?.condition ?? a.result?.entries?.[0] ?? String(a.error?.errorMessage).slice(0, 80); look(); return last; };
  let n = 0;
  const order = async (o: object) => { look(); const a = await world.revoke({ reason: `r${n++}`, ...o }); look(); note(); return a; };
  const steps: Record<string, () => Promise<unknown>> = {
    named: () => world.rotate(named), 
    save: () => acts['saves the secret as it is']!(world, TELEGRAF), edit: () => acts['edits another key']!(world, TELEGRAF),
    back: () => acts['rolls back']!(world, TELEGRAF), press: () => acts['presses Rotate']!(world, TELEGRAF), detach: () => acts['takes AWSPENDING off']!(world, TELEGRAF),
    paste: () => acts['pastes an old value back']!(world, TELEGRAF), 
    tags: () => acts['strips all tags but the owner']!(world, TELEGRAF),
    beside: () => acts['keeps the former string beside it']!(world, TELEGRAF),
    ...(MODE.includes('o') ? {
    replace: () => order({ token: 'telegraf', way: 'replace' }),
    dellift: async () => { await order({ token: 'telegraf', way: 'delete' }); await world.wait(20*MINUTE); await world.rotate(); await order({ token: 'telegraf', way: 'lift' }); },
    freeze: async () => { await order({ token: 'telegraf', way: 'freeze' }); await world.wait(20*MINUTE); await world.reap(); await order({ token: 'telegraf', way: 'unfreeze' }); for (const id of [...gone]) if (isLive(id)) gone.delete(id); },
    byId: async () => { const ids = world.tokens(TELEGRAF).map((t: any) => t.id).filter((id: string) => id !== world.holders(TELEGRAF).AWSCURRENT); if (ids.length) await order({ tokenId: pick(ids), way: pick(['delete', 'replace']) }); } } : {}),
    month: async () => { await world.wait(29 * DAY); },
    day: async () => { for (let i = 0; i < 24; i++) { await world.wait(HOUR); await world.rotate(); await world.reap(); look(); } },
  };
  try {
    await rotate(); await world.wait(2 * HOUR);
    for (let i = 0; i < 10; i++) {
      const name = pick(Object.keys(steps)); trace.push(name);
      look(); await steps[name]!(); look();
      await world.wait(pick([MINUTE, 20 * MINUTE, 2 * HOUR, 5 * HOUR]));
      if (r() < 0.5) await world.reap();
      const before = last;
      await rotate(); trace.push(last);
      if (r() < 0.3) { await world.wait(20 * MINUTE); await rotate(); trace.push(last); }
      if (last === 'cut-short') {
        const dead = [...reign].filter(([id, at]) => id !== world.holders(TELEGRAF).AWSCURRENT && !isLive(id) && !gone.has(id) && world.clock.now() < at + DAY + HOUR);
        if (dead.length === 0) return `seed ${seed}: false cut-short: ${trace.join(' ')}`;
      }
      if (MODE.startsWith('S') && r() < 0.3) {
        const cur = world.holders(TELEGRAF).AWSCURRENT ?? '';
        const c = [...reign].filter(([id, at]) => id !== cur && isLive(id) && world.clock.now() < at + DAY - 4 * HOUR).map(([id]) => id);
        if (c.length && last === 'works') {
          const v = pick(c); const how = pick(['deletes', 'strips']);
          const m = JSON.stringify(world.tokens(TELEGRAF).find((t: any) => t.id === v)?.marker);
          const lab = Object.entries(world.holders(TELEGRAF)).filter(([, id]) => id === v).map(([l]) => l).join();
          trace.push(`PERSON ${how} ${lab} ${m}`);
          if (how === 'deletes') await world.people.deleteToken(v); else await world.people.changeToken(v, { permissions: [] });
          await world.wait(HOUR); await rotate(); trace.push(last); const one = last;
          await world.wait(HOUR); await rotate(); trace.push(last);
          if (one === 'works' && last === 'works') return `seed ${seed}: SILENT ${trace.join(' ')}`;
          return undefined;
        }
      }
    }
  } finally { await world.close(); }
  return undefined;
}
test('lives', async () => {
  const found: string[] = [];
  const end = Date.now() + 75_000;
  let k = FROM;
  for (; k < FROM + COUNT && Date.now() < end; k++) { try { const f = await life(k); if (f) found.push(f); } catch (e) { found.push(`seed ${k}: threw ${String(e).slice(0, 200)}`); } }
  console.log(MODE, 'lives', k - FROM, 'found', found.length, '\n' + found.slice(0, 25).join('\n'));
}, 400_000);
