import { DAY } from '../world/policy.ts';
import { isWhole, QUESTIONS, type Weeks } from './draw.ts';
import { falseBars, falseLines, needlessDoubts } from './judge.ts';
import { liveWeeks } from './live.ts';
import { look } from './look.ts';

/** Lives the weeks, asks every question about them, and returns what is not as it was; a line each. */
export async function askWeeks(weeks: Weeks): Promise<readonly string[]> {
  const { world, truth, beganAt } = await liveWeeks(weeks);
  try {
    const wrong: string[] = [];
    for (const question of QUESTIONS) {
      const { sinceMs } = question;
      const since = sinceMs === undefined ? beganAt - DAY : world.clock.now() - sinceMs;
      const looked = await look(world, since, question);
      const found = [
        ...falseBars(looked, truth),
        ...falseLines(looked, truth),
        ...(isWhole(question) ? needlessDoubts(looked, truth) : []),
      ];
      wrong.push(...found.map((line) => `${line} ${JSON.stringify(question)}`));
    }
    return wrong;
  } finally {
    await world.close();
  }
}
