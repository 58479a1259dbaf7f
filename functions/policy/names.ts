/** What the name of an owner may be: it is in names of resources. */
export const OWNER_NAME = /^[a-z][a-z0-9-]{0,30}$/;

/** The beginning of the marker in a token's description; no description in a policy may contain it. */
export const MARKER_OPENING = '[keyturn:';
