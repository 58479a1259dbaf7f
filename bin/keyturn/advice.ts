import type { Engine } from './engine.ts';

/** Those that do their work on this machine, if they are told so. */
const COMMAND =
  /\b(keyturn (?:adopt|apply|doctor|history|lift|plan|report|restore|revoke|rotate|status|takeover|unfreeze|whois))\b/;

/** Whether what is to be typed, up to its end, says it already. */
const saysLocal = (rest = ''): boolean =>
  rest
    .replaceAll(/\([^()]{0,100}\)/g, '')
    .split(/[;,()]/, 1)[0]
    ?.includes('--local') ?? false;

/** Whoever works with --local is advised to go on so: the deployed functions may not be there, or have another policy. */
export const repeatingLocal = (text: string): string =>
  text
    .split(COMMAND)
    .map((part, index, parts) => {
      const isCommand = index % 2 === 1;
      return isCommand && !saysLocal(parts[index + 1]) ? `${part} --local` : part;
    })
    .join('');

/** A command to be typed, with --local where that was given. */
export const advised = (command: string, isLocal: boolean | undefined): string =>
  isLocal ? repeatingLocal(command) : command;

/** Sentences of ours. What else is in an answer, such as the reason of an order or a description, people wrote. */
const SENTENCES = [
  ...['message', 'advice', 'found', 'why', 'warnings'],
  ...['refusal', 'notReached', 'withoutToken', 'unconfirmed'],
];

const inAnswer = (answer: unknown, isOurs = false): unknown => {
  if (typeof answer === 'string') return isOurs ? repeatingLocal(answer) : answer;
  if (Array.isArray(answer)) return answer.map((each) => inAnswer(each, isOurs));
  if (typeof answer !== 'object' || answer === null) return answer;
  return Object.fromEntries(
    Object.entries(answer).map(([key, each]) => [
      key,
      inAnswer(each, isOurs || SENTENCES.includes(key)),
    ]),
  );
};

function inError(error: unknown): never {
  if (error instanceof Error) error.message = repeatingLocal(error.message);
  throw error;
}

/** The same engine, on this machine; what its answers and errors advise is meant for this machine as well. */
export const advisingLocal = (engine: Engine): Engine => ({
  ...engine,
  call: (job, event) => engine.call(job, event).then((answer) => inAnswer(answer), inError),
});
