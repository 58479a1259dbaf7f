import type { Rising } from './alarms.ts';
import { heal, none } from './explore.ts';
import { type Fault, orderFaults } from './faults.ts';
import { all, hearing } from './hearing.ts';
import type { Violations } from './invariants.ts';
import type { Laboratory, Run, Saved } from './laboratory.ts';
import { leftBehind } from './left-behind.ts';
import {
  type Answer,
  claims,
  condemnedBy,
  goesOnOrBeginsAnew,
  keepsHoldsOfOthers,
  lacksTimeAlone,
  meantWhenLooked,
  namesForeignAlone,
  outcomeOf,
  reached,
  stillCondemned,
  successorOf,
} from './order-outcomes.ts';
import { SECRET } from './policy.ts';
import type { Sample } from './sample.ts';
import { type OrderScenario, type Pause, pauses } from './scenarios/revocation.ts';
import { refusal } from './silence.ts';
import { isOutOfReach } from './view.ts';

/** An order that was given once and met a fault. */
interface Attempt {
  /** The order, by the ids that were there then. */
  readonly run: Run;
  readonly saved: Saved;
  readonly calls: number;
  /** The token that consumers had then. */
  readonly named: string;
  readonly condemned: readonly string[];
  readonly violations: readonly string[];
}

/** Two orders at once: what the one says, the other undoes. */
const isCounterOrder = ({ name }: Fault) => name.startsWith('an order to');
const isKill = ({ name }: Fault) => name.startsWith('killed');

async function attempt(
  laboratory: Laboratory,
  scenario: OrderScenario,
  saved: Saved,
  { number, fault }: { readonly number: number; readonly fault: Fault },
): Promise<Attempt> {
  await laboratory.restore(saved);
  const condemned = condemnedBy(laboratory, scenario);
  const named = laboratory.world.holders(SECRET).AWSCURRENT ?? '';
  const run = scenario.order(laboratory);
  const { calls, answer } = await laboratory.invokeDisturbed(run, number, fault.in(laboratory));
  const mayBeMoved = fault.diverts === true || fault.outruns === true;
  const isMoved = mayBeMoved && scenario.namesToken && !scenario.single;
  const meant = isMoved ? meantWhenLooked(laboratory, named, condemned, answer) : condemned;
  const violations = [
    ...laboratory.violations,
    ...(isCounterOrder(fault) || isKill(fault) ? [] : claims(laboratory, meant, answer)),
    ...(isCounterOrder(fault) ? [] : keepsHoldsOfOthers(laboratory)),
  ];
  laboratory.world.aws.readLagMs = 0;
  laboratory.world.aws.listLagMs = 0;
  return { run, named, saved: laboratory.save(), calls, condemned, violations };
}

async function pass({ world, invoke }: Laboratory, { waits }: Pause): Promise<void> {
  for (const { ms, runs } of waits) {
    await world.wait(ms);
    for (const run of runs) await invoke(run);
  }
}

interface Repetition {
  readonly pause: Pause;
  readonly fault: Fault;
  readonly risen: Rising;
}

/** Nobody interfered, and the repetition did less than that of an undisturbed order. */
function* endedOtherwise(
  laboratory: Laboratory,
  { ends }: OrderScenario,
  answer: Answer,
  pause: Pause,
): Violations {
  const outcome = outcomeOf(answer);
  const expected = ends[pauses.indexOf(pause)] ?? ends.at(-1);
  if (outcome === expected || outcome === 'confirmed' || lacksTimeAlone(answer)) return;
  // A string whose marker a person took works on in a version that no label names: the answer says so.
  if (outcome === 'done' && namesForeignAlone(laboratory, answer)) return;
  // A run beside the first one ended the token that was to be given back.
  if (answer.error?.errorMessage.includes('nothing gives a revoked token back')) return;
  const said = JSON.stringify(answer.error ?? { ...answer.result, plan: undefined });
  yield `ended as ${outcome}, not as ${expected}: ${said}`;
}

/** What is wrong with the answer to a repetition, and with what it has brought about. */
async function answerAgain(
  laboratory: Laboratory,
  scenario: OrderScenario,
  { run, named, condemned }: Attempt,
  { pause, fault }: Repetition,
) {
  const { way, single, namesToken } = scenario;
  const isWhole = way === 'replace' && !single;
  const successor = isWhole ? successorOf(laboratory) : undefined;
  const isNew = isWhole && !namesToken && !successor?.goesOn;
  const isAlone = namesToken && !single && !successor?.goesOn;
  const former = isAlone ? stillCondemned(laboratory, named, condemned) : condemned;
  const meant = isNew ? condemnedBy(laboratory, scenario) : former;
  const answer = await laboratory.invoke(run);
  const outcome = outcomeOf(answer);
  const found = [...claims(laboratory, meant, answer)];
  // Of a token that is gone nothing is done in its secret.
  const isOfSecret = !single && (!namesToken || meant === condemned) && way !== 'restore';
  if (outcome !== 'error' && isOfSecret) found.push(...reached(laboratory, scenario, answer));
  if (!fault.diverts) {
    const isMine = outcome !== 'error' && successor && (isNew || successor.goesOn);
    if (isMine) found.push(...goesOnOrBeginsAnew(laboratory, successor));
    found.push(...endedOtherwise(laboratory, scenario, answer, pause));
  }
  const later = () => [...claims(laboratory, meant, answer)].map((text) => `later ${text}`);
  return { found, later };
}

/** The same order once more after a pause, and the schedules after it. Returns what is wrong. */
async function repeat(
  laboratory: Laboratory,
  scenario: OrderScenario,
  attempted: Attempt,
  repetition: Repetition,
): Promise<readonly string[]> {
  await laboratory.restore(attempted.saved);
  await pass(laboratory, repetition.pause);
  const { found, later } = await answerAgain(laboratory, scenario, attempted, repetition);
  const { complaints, runs } = await heal(laboratory, {});
  const heard = all(runs.map((each) => hearing(each, repetition.risen)));
  const secret = laboratory.view().secrets.get(SECRET);
  const isReachable = secret !== undefined && !isOutOfReach(secret);
  const trouble = isReachable ? refusal(laboratory, SECRET) : undefined;
  const isTold = trouble !== undefined && heard.tellsOf(trouble.kind, SECRET);
  const silence = trouble && !isTold ? [`K: ${trouble.why}, and no alarm tells of it`] : [];
  // A string that nobody knows is replaced when its version comes of age, which is later than this looks.
  const left = isTold && laboratory.hasUnknown() ? [] : complaints;
  return [...found, ...laboratory.violations, ...left, ...silence, ...later()];
}

/**
 * What goes wrong with an order and its repetition: as it is, and with every fault at each of its remote calls.
 * After attempts that left the same behind, it is repeated once.
 */
export async function exploreOrder(
  laboratory: Laboratory,
  scenario: OrderScenario,
  { sample, saved, risen }: { sample: Sample; saved: Saved; risen: Rising },
): Promise<readonly string[]> {
  await laboratory.restore(saved);
  const faults = orderFaults(scenario.order(laboratory));
  const clean = await attempt(laboratory, scenario, saved, { number: 1, fault: none });
  const found: string[] = [];
  const tryOut = async (fault: Fault, number: number) => {
    const chosen = pauses.filter(() => sample.next());
    if (chosen.length === 0) return;
    const tried =
      fault === none ? clean : await attempt(laboratory, scenario, saved, { number, fault });
    const where = `${scenario.name}; ${fault.name}${fault === none ? '' : ` call ${number}`}`;
    const note = (texts: readonly string[], when: string) =>
      found.push(
        ...[...new Set(texts)]
          .filter((text) => !(scenario.immediately && /^[AB]: /.test(text)))
          .slice(0, 2)
          .map((text) => `${where}, ${when}: ${text}`),
      );
    note(tried.violations, 'at once');
    const left = `${scenario.name} ${fault.diverts === true} ${leftBehind(tried.saved)}`;
    for (const pause of chosen.filter(({ name }) => sample.isNew(`${left} ${name}`))) {
      note(
        await repeat(laboratory, scenario, tried, { pause, fault, risen }),
        `again after ${pause.name}`,
      );
    }
  };
  await tryOut(none, 1);
  for (const fault of faults) {
    for (let number = 1; number <= clean.calls; number += 1) await tryOut(fault, number);
  }
  return found;
}
