import type { Call } from '../../sandbox/interception.ts';
import type { View } from '../crash/view.ts';
import type { World } from '../world/world.ts';

const READS = /^(GET |Get|List|Describe|BatchGet)/;

export const isRead = ({ operation }: Pick<Call, 'operation'>) => READS.test(operation);

/** Tells which calls, from now on, write a secret or a token of it. To be asked of every call. */
export function writesOf(
  { aws }: Pick<World, 'aws'>,
  view: () => View,
  secret: string,
): (call: Call) => boolean {
  /** By caller: whether it looked at this secret last, of all secrets. A token that is minted bears no name yet. */
  const looks = new Map<string | undefined, boolean>();
  const isOf = (subject: string | undefined) =>
    subject === secret || subject === aws.state.secrets[secret]?.arn;
  return (call) => {
    const { server, operation, caller, subject = '' } = call;
    if (server === 'secrets-manager') {
      looks.set(caller, isOf(subject));
      return isOf(subject) && !isRead(call);
    }
    if (server !== 'management-api' || isRead(call)) return false;
    return operation === 'POST /tokens'
      ? looks.get(caller) === true
      : view().tokens.get(subject)?.marker.secret === secret;
  };
}
