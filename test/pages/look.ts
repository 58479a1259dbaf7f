import type { Engine, Job } from '../../bin/keyturn/engine.ts';
import type { History } from '../../bin/keyturn/history/history-text.ts';
import { tellHistory } from '../../bin/keyturn/history/tell-history.ts';
import { type Page, pageOf } from '../../bin/keyturn/report/page.ts';
import { statusNow } from '../../bin/keyturn/status.ts';
import type { Terminal } from '../../bin/keyturn/terminal.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { formatInstant } from '../../functions/time.ts';
import type { World } from '../world/world.ts';
import type { Question } from './draw.ts';

/** Nobody looks at it. */
const terminal = {
  note: () => {},
  noteStyle: (_format: string, text: string) => text,
} as unknown as Terminal;

const DENIED = {
  status: 400,
  body: JSON.stringify({ __type: 'AccessDeniedException', Message: 'not authorized' }),
};

/** The functions' answers, had before the command asks for them: it asks from outside of the world's time. */
async function answered(world: World, since: number): Promise<Engine> {
  const ask = async (job: Job, event: object) => {
    const { result, error } = await world.invoke(job, { dryRun: true, ...event });
    return error ? new Error(error.errorMessage) : result;
  };
  const past = await ask('rotate', { history: { since: formatInstant(since) } });
  const now = {
    rotate: await ask('rotate', { probe: true }),
    reap: await ask('reap', {}),
    enforce: await ask('enforce', {}),
  };
  return {
    placeOf: (job) => `keyturn-prod-${job}`,
    call: (job, event) => {
      const answer = 'history' in event ? past : now[job as keyof typeof now];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

export interface Looked {
  readonly question: Question;
  readonly since: number;
  readonly page: Page;
  readonly history: History;
}

/** What `keyturn report` and `keyturn history` find. */
export async function look(world: World, since: number, question: Question): Promise<Looked> {
  const policy = parsePolicy(world.policy);
  const engine = await answered(world, since);
  world.intercept(async ({ server, subject = '' }, effect) =>
    server === 'logs' && question.denied.some((each) => subject.endsWith(`-${each}`))
      ? DENIED
      : effect(),
  );
  const outside = <T>(program: () => Promise<T>) => world.clock.waitFor(world.outside(program));
  const asked = { since, sinceText: formatInstant(since) };
  try {
    const history = await outside(() => tellHistory({ policy, engine }, asked, terminal));
    const status = await outside(() => statusNow({ policy, engine }, { probe: true }));
    const origin = { policyFile: 'keyturn.yaml', account: '', place: '', version: '' };
    const page = pageOf(policy, status, history, asked, { now: world.clock.now(), ...origin });
    return { question, since, page, history };
  } finally {
    world.intercept();
  }
}
