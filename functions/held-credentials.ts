import { plainText } from './plain-text.ts';

/** The credentials that a run has held, to be found in whatever leaves it. */
export interface HeldCredentials {
  /** Strings of fewer than eight characters are names or words, and nobody would find them in a text. */
  hold(credential: string): void;
  /**
   * As `hold`, for all that looks like a credential in the value of a secret: people keep passwords beside a token, or
   * alone, and an error of AWS may quote the whole request. What is not random is found as a whole alone.
   */
  holdAllIn(secretValue: string): void;
  /**
   * Replaces by `[token]` every word that has a part of 12 characters or more of what was held: plain, escaped,
   * percent-encoded, as a list of bytes, in base64 or hexadecimal digits (of UTF-16, too), or both. A text that has none
   * stays as it is; one that has loses its encoding.
   */
  redact(text: string): string;
}

/**
 * What is remembered of a credential: a block of eight characters from every fifth on. Any 12 characters of it have a
 * whole one. Eight characters of base64 are 48 bits, which nothing else has by chance.
 */
const BLOCK = 8;
const STEP = 5;
const WORD = /[A-Za-z0-9+/_=.~%-]{8,}/g;
const WORD_CHARACTER = /[A-Za-z0-9+/_=.~%-]/;
/** Inside a word: `token=…`, `id-…`, `0x…`, `….`, and a JWT have something else beside it. */
const BASE_64 = /[A-Za-z0-9+/_-]{11,}/g;
const HEXADECIMAL = /[0-9A-Fa-f]{16,}/g;
/** In front of base64 at each of the four places of a group of four characters. */
const FRONTS = ['', 'A', 'AA', 'AAA'];
const DEEPEST = 2;

/** Not `tokenId` or `secretName`; also `password1` and `token_old`. */
const SECRET_KEY =
  /(?:token|secret|pass(?:word|wd|phrase)|pwd|dsn|credential|authorization|webhook|(?:api|app|access|account|auth|encryption|license|master|private|secret|signing|tls)[-_]?key|connection[-_]?string)s?(?:[-_]?(?:\d{1,3}|new|old|previous))?$/i;
/** The password of an address, whatever its key: `dbUrl`. */
const PASSWORD_OF_ADDRESS = /:\/\/[^\s/:@]{0,200}:([^\s/@]{1,200})@/;
/** Not `bypass`. */
const PASS = /(?:(?<![A-Za-z])(?:pass|PASS|pw|PW)|Pass|(?:db|ftp|my|pg|smtp|sql|user)pass)$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A line of a file of settings. */
const SETTING = /^[ \t]{0,80}(?:export )?([\w.-]{1,200})[ \t]{0,80}[:=](.*)$/;
const QUOTED = /^(["'])(.*)\1$/;
/** A value that is one line, and no single word. */
const PHRASE = /^(?![A-Za-z]*$).*$/;
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/;
const KINDS = [/\d/, /[a-z]/, /[A-Z]/];

/** Characters of three kinds that change often, as in no name: `ProductionMetrics2024` is one. */
export function isRandom(text: string): boolean {
  if (!/^[A-Za-z0-9+/_=-]{20,}$/.test(text)) return false;
  const kinds = [...text]
    .map((each) => KINDS.findIndex((kind) => kind.test(each)))
    .filter((kind) => kind >= 0);
  const changes = kinds.filter((kind, at) => at > 0 && kind !== kinds[at - 1]);
  return KINDS.every((_, kind) => kinds.includes(kind)) && changes.length > text.length / 3;
}

/** In UTF-16, there is a NUL beside every character. */
const bytesOf = (text: string, encoding: 'base64' | 'hex') =>
  Buffer.from(text, encoding).toString('latin1').replaceAll('\0', '');

const asJson = (text: string) => JSON.stringify(text).slice(1, -1);

/** What a text is where others quote it; of what is percent-encoded, `plainText` decodes ASCII. */
const formsOf = (text: string) =>
  new Set([
    text,
    plainText(text),
    plainText(encodeURIComponent(text.toWellFormed())),
    Buffer.from(text).toString('latin1'),
    asJson(text),
    asJson(asJson(text)),
  ]);

/** Of what is no credential by its look, only the whole is one: `production-2024!` has a part that is a name. */
const PART_OF_NAME = /[A-Za-z0-9/_-]/;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Keys, texts and numbers, each once: of a policy, whose entries mostly say the same, a tenth of its JSON. */
export function wordsIn(value: unknown): string {
  const words = new Set<string>();
  const note = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) {
      words.add(String(each));
      return;
    }
    if (Array.isArray(each)) {
      each.forEach(note);
      return;
    }
    for (const key in each) {
      words.add(key);
      note(Reflect.get(each, key));
    }
  };
  note(value);
  return JSON.stringify([...words]);
}

/** @param known a text whose words are no credentials, whatever a secret has beside its token: the policy */
export function createHeldCredentials(known = ''): HeldCredentials {
  const blocks = new Set<string>();
  /** By their first characters, so that it takes no longer to look for many of them. */
  const wholes = new Map<string, Set<string>>();

  /** A line of slashes is none, though a session token of AWS has ten of them. */
  const add = (block: string) => {
    if (new Set(block).size > 3 && !known.includes(block)) blocks.add(block);
  };

  function hold(credential: string): void {
    const { length } = credential;
    if (length < BLOCK) return;
    for (let at = 0; at + BLOCK <= length; at += STEP) add(credential.slice(at, at + BLOCK));
    add(credential.slice(-BLOCK));
  }

  function holdText(key: string, text: string): void {
    if (isRandom(text)) {
      hold(text);
      return;
    }
    const isNamedSo = SECRET_KEY.test(key) || PASS.test(key);
    const forms = isNamedSo && !UUID.test(text) && !INSTANT.test(text) ? formsOf(text) : [];
    for (const each of forms) {
      if (each.length < BLOCK || known.includes(each)) continue;
      const start = each.slice(0, BLOCK);
      wholes.set(start, (wholes.get(start) ?? new Set()).add(each));
    }
    // After the whole, which goes as one.
    const password = PASSWORD_OF_ADDRESS.exec(text)?.[1];
    if (password !== undefined) holdText('password', password);
  }

  function holdIn(key: string, value: unknown): void {
    if (typeof value === 'string' || typeof value === 'number') holdText(key, String(value));
    if (typeof value !== 'object' || value === null) return;
    // What is in a list, or beside other facts, is named by what it is in: `passwords: ["…"]`, `password: {value: "…"}`.
    const isNamed = (under: string) => !/^(?:\d+|value|current|plaintext)$/i.test(under);
    for (const [under, each] of Object.entries(value)) holdIn(isNamed(under) ? under : key, each);
  }

  /** What is no JSON: a password, or a file of settings. */
  function holdRaw(text: string): void {
    holdText(PHRASE.test(text) ? 'password' : '', text);
    for (const line of text.split(/[\r\n]+/)) {
      const [, key = '', value = ''] = SETTING.exec(line) ?? [];
      holdText(key, value.trim().replace(QUOTED, '$2'));
    }
    for (const word of text.split(/[\s"'=:;,]+/)) if (isRandom(word)) hold(word);
  }

  /** The longest whole that begins there; undefined: none does. */
  function wholeAt(text: string, at: number): string | undefined {
    const beginning = wholes.get(text.slice(at, at + BLOCK));
    if (!beginning) return undefined; // as nearly everywhere, so that nothing is made for it
    const fitting = [...beginning].filter(
      (each) =>
        text.startsWith(each, at) &&
        !PART_OF_NAME.test(text.charAt(at - 1)) &&
        !PART_OF_NAME.test(text.charAt(at + each.length)),
    );
    return fitting.sort((a, b) => b.length - a.length)[0];
  }

  function hasWhole(text: string): boolean {
    for (let at = 0; wholes.size > 0 && at + BLOCK <= text.length; at += 1) {
      if (wholeAt(text, at) !== undefined) return true;
    }
    return false;
  }

  function withoutWholes(text: string): string {
    const parts: string[] = [];
    let written = 0;
    for (let at = 0; wholes.size > 0 && at + BLOCK <= text.length; at += 1) {
      const whole = wholeAt(text, at);
      if (whole === undefined) continue;
      parts.push(text.slice(written, at), '[token]');
      written = at + whole.length;
      at = written - 1;
    }
    return parts.join('') + text.slice(written);
  }

  /** Where the next block begins. */
  function nextBlock(text: string, from: number): number | undefined {
    for (let at = from; at + BLOCK <= text.length; at += 1) {
      if (blocks.has(text.slice(at, at + BLOCK))) return at;
    }
    return undefined;
  }

  function isEncoded(word: string, depth: number): boolean {
    if (nextBlock(word, 0) !== undefined) return true;
    if (depth === DEEPEST) return false;
    const isIn = (encoding: 'base64' | 'hex', text: string) => {
      const bytes = bytesOf(text, encoding);
      return (
        hasWhole(bytes) || (bytes.match(WORD) ?? []).some((each) => isEncoded(each, depth + 1))
      );
    };
    return (
      (word.match(HEXADECIMAL) ?? []).some((run) => isIn('hex', run) || isIn('hex', `0${run}`)) ||
      (word.match(BASE_64) ?? []).some((run) => FRONTS.some((front) => isIn('base64', front + run)))
    );
  }

  /** The words that a credential touches, which may have spaces in it. */
  function withoutPlain(text: string): string {
    const parts: string[] = [];
    let written = 0;
    for (let at = nextBlock(text, 0); at !== undefined; at = nextBlock(text, written)) {
      let [from, to] = [at, at + BLOCK];
      while (from > written && WORD_CHARACTER.test(text.charAt(from - 1))) from -= 1;
      while (
        to < text.length &&
        (WORD_CHARACTER.test(text.charAt(to)) || blocks.has(text.slice(to, to + BLOCK)))
      )
        to += 1;
      parts.push(text.slice(written, from), '[token]');
      written = to;
    }
    return parts.join('') + text.slice(written);
  }

  function replaced(text: string): string {
    return withoutPlain(withoutWholes(text)).replace(WORD, (word) =>
      isEncoded(word, 0) ? '[token]' : word,
    );
  }

  return {
    hold,
    holdAllIn(secretValue) {
      const value = parsed(secretValue);
      if (typeof value === 'object') holdIn('', value);
      else holdRaw((typeof value === 'string' ? value : secretValue).trim());
    },
    redact(text) {
      if (blocks.size + wholes.size === 0) return text;
      const plain = plainText(text);
      const said = replaced(plain);
      return said === plain && plain !== text ? replaced(text) : said;
    },
  };
}
