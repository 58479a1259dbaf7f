/** How a marker writes an instant. */
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** The names in a marker of a server that takes no longer description; its instants are in base 36. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  o: 'owner',
  s: 'secret',
  h: 'home',
  i: 'id',
  f: 'fp',
  g: 'grants',
  a: 'armed',
  n: 'asked',
  j: 'refused',
  l: 'promoted',
  m: 'minted',
  v: 'version',
  r: 'replaces',
  d: 'order',
  z: 'shared',
  c: 'forced',
  u: 'superseded',
  k: 'grace',
  e: 'fenced',
  q: 'quarantined',
  y: 'frozen',
  t: 'adopted',
  b: 'proving',
  p: 'proven',
  w: 'was',
  wh: 'had',
  x: 'room',
};

/** The fields of a marker as they are written: instants and permissions are texts. */
export type Marker = Readonly<Record<string, string>>;

/**
 * The marker at the end of a description, and the text before it. Read here by hand, not by the
 * reader in `functions/`, so that a mistake of that one shows.
 */
export function readMarker(
  description: string,
): { readonly text: string; readonly marker: Marker } | undefined {
  const [whole, fields] = / ?\[keyturn:1 ([^\]]*)\]$/.exec(description) ?? [];
  if (whole === undefined || fields === undefined) return undefined;
  const marker = Object.fromEntries(
    fields.split(' ').map((field) => {
      const [name = '', value = ''] = field.split(/=(.*)/s, 2);
      return [LONG_NAMES[name] ?? name, value];
    }),
  );
  return { text: description.slice(0, -whole.length), marker };
}
