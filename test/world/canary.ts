import type { Reply } from '../../sandbox/interception.ts';
import type { Watcher } from './world.ts';

/** So many characters of a credential in a row are a part of it. */
const PART = 12;
const WORD = /[A-Za-z0-9+/_=.-]{12,}/g;
const BASE64_WORD = /[A-Za-z0-9+/_-]{16,}/g;
const HEX_WORD = /[0-9A-Fa-f]{24,}/g;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  equals: '=',
  lowbar: '_',
  plus: '+',
  sol: '/',
};

/** Without one layer of the escapes of JSON, of URLs, of mails and of HTML, and of lists of bytes. */
const unescaped = (text: string): string =>
  text
    .replace(/\d+(?:,\s*\d+){11,}|\[\d+(?: \d+){11,}\]/g, (list) =>
      String.fromCharCode(...(list.match(/\d+/g) ?? []).map(Number)),
    )
    .replace(/(?:\\+(?:u\{?0*|x)|[%=]|&#x0*)([0-9a-f]{2})[;}]?/gi, (_all, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/(?:0x)?[0-9a-f]{2}(?:(?:[: ]|,? ?0x)[0-9a-f]{2}){11,}/gi, (bytes) =>
      bytesOf(bytes.replace(/0x|[:, ]/g, ''), 'hex'),
    )
    .replace(/(?:[0-9a-f]{4,16} ){2,}[0-9a-f]{2,16}/gi, (bytes) =>
      bytesOf(bytes.replaceAll(' ', ''), 'hex'),
    )
    .replace(/&#0*(\d{2,3});?/g, (_all, code) => String.fromCharCode(Number(code)))
    .replace(/&(amp|equals|lowbar|plus|sol);/g, (_all, name) => ENTITIES[name] ?? '')
    .replace(/\\+\//g, '/');

/** The text itself, and what it may say in other words: as bytes, or as UTF-16. */
function* readingsOf(text: string): Generator<string> {
  let plain = text;
  for (let layer = 0; layer < 3; layer += 1) {
    yield plain;
    for (const [word] of plain.matchAll(HEX_WORD))
      for (const from of [0, 1]) yield bytesOf(word.slice(from), 'hex');
    for (const [word] of plain.matchAll(BASE64_WORD))
      for (const from of [0, 1, 2, 3]) yield bytesOf(word.slice(from), 'base64');
    const next = unescaped(plain);
    if (next === plain) return;
    plain = next;
  }
}

const bytesOf = (word: string, encoding: 'base64' | 'hex') =>
  Buffer.from(word, encoding).toString('latin1').replaceAll('\0', '');

const partsOf = (text: string): readonly string[] =>
  Array.from({ length: Math.max(0, text.length - PART + 1) }, (_, at) => text.slice(at, at + PART));

/** The secret part of what a server gives: of a JWT, everybody knows the first part, and who it is for is in the second. */
function stringsIn(operation: string, { body }: Reply): readonly string[] {
  if (operation === 'POST /tokens') {
    const { accessToken } = JSON.parse(body);
    return typeof accessToken === 'string' ? [accessToken] : [];
  }
  return operation === 'POST /token'
    ? (/"access_token":"([^"]+)"/.exec(body)?.[1]?.split('.').slice(1) ?? [])
    : [];
}

export interface Canary {
  /** Stands around the effect of every request, and notes what `POST /tokens` and an identity provider answer. */
  readonly watcher: Watcher;
  /** The texts in which a credential of this world is found, or any twelve characters of one, however they are written. */
  leaksIn(texts: readonly string[]): readonly string[];
}

/** Knows every credential of a world, to find it in whatever leaves its functions. */
export function createCanary(...known: readonly string[]): Canary {
  const parts = new Set(known.flatMap(partsOf));
  const isIn = (reading: string) =>
    (reading.match(WORD) ?? []).some((word) => partsOf(word).some((part) => parts.has(part)));
  return {
    watcher({ operation }, effect) {
      const reply = effect();
      for (const given of stringsIn(operation, reply)) {
        for (const part of partsOf(given)) parts.add(part);
      }
      return reply;
    },
    leaksIn: (texts) => texts.filter((text) => [...readingsOf(text)].some(isIn)),
  };
}
