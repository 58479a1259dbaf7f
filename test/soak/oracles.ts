import type { RevocationReport } from '../../functions/revocation/report.ts';
import type { Rising } from '../crash/alarms.ts';
import { hearing } from '../crash/hearing.ts';
import { emptyHistory, note, noteLook, noteProbe } from '../crash/history.ts';
import { violations, violationsByTime } from '../crash/invariants.ts';
import {
  claims,
  condemnedIn,
  goesOnOrBeginsAnew,
  reached,
  successorOf,
} from '../crash/order-outcomes.ts';
import {
  givesNothingUnderHold,
  heldStaysDead,
  unsettled,
  waitsForPeople,
} from '../crash/outcomes.ts';
import { bereft, isTold, PERIOD, refused, strayed } from '../crash/silence.ts';
import { termsOf } from '../crash/terms.ts';
import {
  isExpired,
  isOnHold,
  isOutOfReach,
  type SeenToken,
  touchedBetween,
  type View,
  viewOf,
} from '../crash/view.ts';
import type { ScheduledJob } from '../world/jobs.ts';
import { DAY, HOUR } from '../world/policy.ts';
import type { Answered, World } from '../world/world.ts';
import { createDatabaseOracles } from './database-oracles.ts';
import { sortTokens } from './long-dead.ts';
import type { Replicas } from './replicas.ts';
import { LONGEST_WAIT, promotionsOutside, type Windows } from './windows.ts';
import { isRead } from './writes.ts';

/** So many runs within `renewBefore` are enough to renew a token. */
const FEWEST_RUNS = 3;

/** Checks a world after every call that may change it, and after every run. */
export function createOracles(
  world: World,
  {
    renewBefore,
    everyMs,
    windows,
    rising,
  }: {
    readonly renewBefore: number;
    readonly everyMs: number;
    readonly windows?: Windows | undefined;
    readonly rising: Rising;
  },
) {
  const { cluster, aws, clock } = world;
  const history = emptyHistory();
  const found: { readonly at: number; readonly text: string }[] = [];
  let terms = termsOf(world.policy, world);
  /** What is noted of tokens hangs on it. */
  let isPolicyNew = true;
  let seen: View | undefined;
  const sort = sortTokens();
  let asked = 0;
  /** What is going on, and how much of it there was in all. */
  let busy = 0;
  let entered = 0;
  /** When the one that goes on alone began. */
  let beganAt = 0;
  const endedFirst = new Set<string>();
  const meant = new Set<string>();
  /** Secrets whose rotation a person asks for now, or asked for before the run that goes on. */
  const askedFor = new Set<string>();
  const pace = { renewBefore, everyMs, isAskedFor: (secret: string) => askedFor.has(secret) };

  const view = (): View => {
    const sorted = sort(cluster.state.tokens, clock.now());
    seen ??= viewOf(cluster.state, aws.state, clock.now(), sorted);
    seen = { ...seen, at: clock.now() };
    return seen;
  };
  const tell = (texts: Iterable<string>) => {
    for (const text of texts) found.push({ at: clock.now(), text });
  };

  world.watch((call, effect) => {
    if (call.server === 'data-plane') {
      const reply = effect();
      noteProbe(history, { call, reply });
      return reply;
    }
    const isOrdered = world.origin(call)?.job === 'revoke';
    const before = view();
    const reply = effect();
    if (isRead(call)) {
      noteLook(history, { call, isOrdered, reply, before, after: before }, terms);
      return reply;
    }
    seen = undefined;
    const after = view();
    const touched = isPolicyNew ? undefined : touchedBetween(before, after);
    const began = busy === 1 ? beganAt : undefined;
    const step = { call, isOrdered, endedFirst, meant, reply, before, after, touched, began };
    isPolicyNew = false;
    note(history, step, terms);
    tell(violations(history, step, terms));
    if (windows && world.origin(call)?.job === 'rotate')
      tell(promotionsOutside(history, step, terms, { ...pace, windows }));
    return reply;
  });

  /** The runs since there is trouble of which nobody was told, by what it is. */
  const silent = new Map<string, { readonly since: number; readonly runs: number }>();
  const inWorld = {
    world,
    view,
    history,
    get terms() {
      return terms;
    },
  };

  /** When `rotate` did its work, or could have: a run that fails in calm weather has no excuse. */
  let worked: number[] = [];
  // Jitter and the clock leave one less within `renewBefore` than there is room for.
  const fewestRuns = Math.min(FEWEST_RUNS, Math.floor(renewBefore / everyMs) - 1);

  /** A token that expires while hardly any run could do anything, or nobody may write its secret: no rule renews what cannot be reached. */
  const forgiveExpiries = ({ at, tokens, secrets }: View) => {
    worked = worked.filter((instant) => instant > at - renewBefore);
    const isOutage = worked.length < fewestRuns;
    for (const { id, marker, expiresAt = Infinity } of tokens.values()) {
      // What replaces it now leaves its consumers less than their grace period.
      if (expiresAt > at + 3 * everyMs + terms.gracePeriod || expiresAt <= at) continue;
      const own = secrets.get(marker.secret ?? '');
      // People paste a string into a secret that nobody may write then.
      const users = [...secrets.values()].filter(({ holders }) => holders.AWSCURRENT === id);
      const isStuck = users.length > 0 && users.every(isOutOfReach);
      if (isOutage || isStuck || (own && isOutOfReach(own)))
        history.exempt[id] ??= 'expired out of reach';
    }
  };

  let handActs = 0;

  /** M. `isHeld`: it was frozen, killed, or kept waiting for people. */
  const judgeEnd = (what: string, { error }: Answered, isHeld: boolean) => {
    if (error?.errorType === 'Sandbox.Timedout' && !isHeld)
      tell([`M: ${what} did not end before its deadline`]);
  };

  /** Secrets Manager shows what is. */
  const isFresh = () => aws.readLagMs === 0 && aws.listLagMs === 0;

  const isHeld = (name: string) => isOnHold(view().secrets.get(name));

  const troublesNow = () => [
    ...terms.listed.flatMap((name) => [
      // A hold that ends begins another trouble.
      { key: `${name} ${isHeld(name) ? 'held' : 'refused'}`, trouble: refused(name)(inWorld) },
      { key: `${name} bereft`, trouble: bereft(name)(inWorld) },
    ]),
    { key: 'strayed', trouble: strayed(inWorld) },
  ];

  /** K: what was told of begins anew. */
  const noteSilence = (troubles: ReturnType<typeof troublesNow>, rotations: number) => {
    const last = new Map(silent);
    silent.clear();
    for (const { key, trouble } of troubles) {
      if (!trouble) continue;
      const { since, runs } = last.get(key) ?? { since: clock.now(), runs: 0 };
      silent.set(key, { since, runs: runs + rotations });
      const lasts = clock.now() - since;
      // Those of the laboratory are eight hours long. Two, and the run in which it began.
      const patience = trouble.patience - PERIOD + 2 * everyMs;
      if (lasts > patience && runs > 3)
        tell([`K: ${trouble.why}, and no alarm rang for ${Math.round(lasts / HOUR)} hours`]);
    }
  };

  return {
    found,
    databases: createDatabaseOracles(world, tell),
    history,
    view,
    isHeld,
    endedFirst,
    get asked() {
      return asked;
    },
    /** A function begins. What is returned is to be called at its end, and tells whether no other one ran meanwhile. */
    enter() {
      const isFirst = busy === 0;
      if (isFirst) beganAt = clock.now();
      if (isFirst) {
        // A process does many runs, and these are a run's.
        for (const noted of [history.limited, history.givenUnderHold])
          for (const key of Object.keys(noted)) delete noted[key];
      }
      busy += 1;
      entered += 1;
      const number = entered;
      return () => {
        busy -= 1;
        return isFirst && busy === 0 && number === entered;
      };
    },
    /** H: to be called before a run, and after it. What fails, or sees the past, leaves its rest to the next one of `reap`. */
    judgeHolds(job: ScheduledJob) {
      const before = view();
      const wasFresh = isFresh();
      return ({ error }: Answered, wasAlone: boolean) => {
        const mayJudge = !error && wasAlone && wasFresh && isFresh();
        if (mayJudge && job === 'reap') tell(heldStaysDead(before, view(), history));
        if (mayJudge) tell(givesNothingUnderHold(history, view()));
      };
    },
    /** K: to be called before a run, and after it; what was asked about some tokens alone says nothing of the others. */
    judgeReplicas(job: ScheduledJob, event: object, replicas: Replicas | undefined) {
      const isWhole = job === 'rotate' && !('tokens' in event) && !('dryRun' in event);
      if (!isWhole || !replicas) return () => {};
      const judge = replicas.enter(view(), terms.made);
      return (answer: Answered, isUndisturbed: boolean) => {
        if (isUndisturbed) tell(judge(answer, view()));
      };
    },
    /** Secrets of the policy's entries. */
    listed: () => terms.listed,
    /** Those of them that Keyturn makes itself. */
    made: () => terms.made,
    use(policy: object) {
      terms = termsOf(policy, world);
      isPolicyNew = true;
      // What no entry names any more is reported, and left to people.
      for (const { name, holders } of view().secrets.values()) {
        if (terms.listed.includes(name)) continue;
        for (const id of Object.values(holders)) history.exempt[id] ??= 'unlisted';
      }
    },
    /** M: to be called of whatever runs. */
    judgeEnd,
    /**
     * L: compares what an order answers with what was to be ended when it was given, and with what it brought about. A person may act
     * meanwhile, and another run.
     */
    judgeOrder(secret: string, way: string) {
      // All orders of a life to replace have the same words: given again, it goes on with what it made.
      const made = way === 'replace' ? successorOf(inWorld, secret) : undefined;
      const condemned = condemnedIn(secret, way, inWorld).filter(
        (id) => !(made?.goesOn && id === made.id),
      );
      const acts = handActs;
      const wasFresh = isFresh();
      meant.add(secret);
      return (answer: Answered<RevocationReport>, wasAlone: boolean) => {
        meant.delete(secret);
        if (handActs !== acts) return;
        tell(claims(inWorld, condemned, answer));
        const mayJudge = answer.result?.done && wasAlone && wasFresh && isFresh();
        if (!mayJudge) return;
        tell(reached(inWorld, { way }, answer, secret));
        if (made) tell(goesOnOrBeginsAnew(inWorld, made, secret));
      };
    },
    /** A person asks for the rotation of a secret, until that is done. */
    async asksFor<T>(secret: string, rotate: () => Promise<T>): Promise<T> {
      askedFor.add(secret);
      return await rotate().finally(() => askedFor.delete(secret));
    },
    /** A person does something. */
    noteAct() {
      handActs += 1;
    },
    /** Whoever gives an order about a secret knows how it is. */
    noticed(secret: string) {
      for (const key of silent.keys()) if (key.startsWith(`${secret} `)) silent.delete(key);
    },
    /** What consumers would meet now. */
    consume() {
      const now = view();
      forgiveExpiries(now);
      const call = { server: 'data-plane', operation: 'consumer', caller: undefined } as const;
      const step = {
        call,
        isOrdered: false,
        reply: { status: 200, body: '' },
        before: now,
        after: now,
      };
      asked += terms.listed.length;
      tell(violationsByTime(history, step, terms));
    },
    /** To be told of every run. Returns the metrics that sound alarms. */
    hear(
      {
        job,
        isStormy,
        isDisturbed,
        isHeld = false,
      }: {
        readonly job: ScheduledJob;
        readonly isStormy: boolean;
        /** Something was done to the run, by chance or by the weather. */
        readonly isDisturbed: boolean;
        /** It was frozen, killed, or kept waiting for people: it may not have come to its end. */
        readonly isHeld?: boolean;
      },
      answer: Answered,
      lines: readonly string[],
    ) {
      const leaks = lines.filter((line) => line.includes('apiv1_'));
      tell(leaks.map((line) => `I: a token string in ${line.slice(0, 200)}`));
      judgeEnd(job, answer, isHeld);
      const couldWork = !isStormy && !(answer.error && isDisturbed);
      if (job === 'rotate' && couldWork) worked.push(clock.now());
      // That `enforce` fails tells nobody of tokens.
      const heard = hearing({ ...(job !== 'enforce' && answer), lines }, rising);
      const untold = troublesNow().filter(({ trouble }) => trouble && !isTold(trouble, heard));
      noteSilence(untold, job === 'rotate' ? 1 : 0);
      return heard.rang;
    },
    /** What is not where it ought to end, of what there was at an instant: a calm month rotates, too. */
    settle(since: number) {
      const { at, tokens, secrets } = view();
      const longestWait = 2 * DAY + (windows ? LONGEST_WAIT : 0);
      const madeAt = (id = '') => tokens.get(id)?.createdAt ?? 0;
      const all = [...secrets].map(([name, secret]) => {
        const { AWSPENDING, ...labels } = secret.labels;
        const isFresh = madeAt(secret.holders.AWSPENDING) > at - longestWait;
        return [name, isFresh ? { ...secret, labels } : secret] as const;
      });
      const current = new Set(all.map(([, { holders }]) => holders.AWSCURRENT));
      const isHidden = (token: SeenToken) => cluster.manners.hidesExpired && isExpired(token, at);
      const isLeft = ({ marker: { secret = '' } }: SeenToken) =>
        !terms.listed.includes(secret) && !terms.isRetired(secret);
      const old = [...tokens].filter(
        ([id, token]) =>
          (madeAt(id) < since || current.has(id)) && !isHidden(token) && !isLeft(token),
      );
      const judged = { at, tokens: new Map(old), secrets: new Map(all) };
      return [...unsettled(judged, history, terms)];
    },
    /** How many of our tokens consumers never got. */
    inVain() {
      return Object.keys(history.minted).filter((id) => !history.reigned[id]).length;
    },
    /** The secrets that only people can mend, or that they hold. */
    inPeoplesHands: () => {
      const now = view();
      return terms.listed.filter((name) => {
        const secret = now.secrets.get(name);
        const isTroubled = refused(name)(inWorld) !== undefined;
        return (
          isTroubled || (secret && (waitsForPeople(secret, now, terms) || isOutOfReach(secret)))
        );
      });
    },
    /** Whether no alarm ought to ring: what no entry names rings until it has expired. */
    isWell: () =>
      troublesNow().every(({ trouble }) => !trouble) &&
      [...view().secrets.keys()].every((name) => terms.listed.includes(name)),
  };
}
