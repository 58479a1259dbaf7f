/**
 * The forms of InfluxDB's credentials. This file and `credentials.ts` are the only places of the program that know them.
 *
 * - Database tokens: `apiv1_` and 512 random bits in base64, 86 characters and perhaps `==`. The documentation
 *   does not say of which alphabet, and the examples of the specification have 64 digits instead.
 *   https://docs.influxdata.com/influxdb3/cloud-dedicated/reference/internals/security/
 * - Management tokens: `M.V1.` and more characters.
 *   https://docs.influxdata.com/influxdb3/clustered/admin/tokens/management/list/
 * - JWTs (RFC 7519), which identity providers give and a cluster takes for management tokens, and the cluster's own
 *   admin token: three parts in base64, of which the first is JSON that begins with `alg`, `typ`, `kid` or `x5t`.
 *
 * People send texts of up to megabytes, and servers send anything: every expression takes time in proportion
 * to the text.
 */

/** How a credential begins that nobody encoded. */
const PLAIN = 'apiv\\d{1,3}_|M\\.V1\\.|eyJhbGci|eyJ0eXAi|eyJraWQi|eyJ4NXQi';
/**
 * The same beginnings in base64, as Kubernetes, Basic authentication and `base64` write them: at each of the three
 * places where a group of four may begin.
 */
const ENCODED_START =
  'YXBpdj|[2GWm]FwaXY|hcGl2|TS5WMS|[0EUk]0uVjEu|NLlYxL|ZXlKaGJHY2|ZXlKMGVYQW|ZXlKcmFXUW|ZXlKNE5YUW|[2GWm]V5S[jmn]|leU[op][0owy]';
export const START = new RegExp(`${PLAIN}|${ENCODED_START}`, 'g');
export const PLAIN_START = new RegExp(PLAIN, 'g');
