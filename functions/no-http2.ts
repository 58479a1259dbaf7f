/**
 * Replaces `node:http2` in the bundle: undici loads it at its start, for servers that are asked by HTTP/2, and ours are asked by
 * HTTP/1.1 (`allowH2: false`). Loading it took a tenth of a cold start.
 * https://undici.nodejs.org/#/docs/api/Client
 */
export const constants = {};
/** The SDK imports it so, in what no bundle has. */
export default { constants };
