import type { Respond } from '../../sandbox/asked.ts';

/** Fields of markers that came after the first version, and their names on a server that takes no longer description. */
const NAMES = {
  grace: 'k',
  order: 'd',
  asked: 'n',
  refused: 'j',
  promoted: 'l',
  had: 'wh',
} as const;

export type LaterField = keyof typeof NAMES;

export const LATER_FIELDS = Object.keys(NAMES) as readonly LaterField[];

/** No version knows a field of that name; each leaves it as it is. */
const UNKNOWN = 'later';
const MARKERS = /\[keyturn:1 [^\]]*\]/g;

/**
 * The cluster as an older version of Keyturn meets it, made of the present one: it does not know one field of markers. In
 * what it reads, the field has a name that nobody knows, which every version keeps; what it writes of its own lacks it.
 */
export function asOlder(respond: Respond, field: LaterField): Respond {
  const names = `${field}|${NAMES[field]}`;
  const its = new RegExp(` (${names})=`, 'g');
  const written = new RegExp(` (?:${names})=[^ \\]]*`, 'g');
  const kept = new RegExp(` ${UNKNOWN}(${names})=`, 'g');
  const hide = (body: string) =>
    body.replace(MARKERS, (marker) => marker.replace(its, ` ${UNKNOWN}$1=`));
  const show = (body: string) =>
    body.replace(MARKERS, (marker) => marker.replace(written, '').replace(kept, ' $1='));
  return async (asked) => {
    if (!/\/tokens\b/.test(asked.url)) return respond(asked);
    const reply = await respond({ ...asked, body: Buffer.from(show(asked.body.toString())) });
    return reply === 'reset' ? reply : { ...reply, body: hide(reply.body) };
  };
}
