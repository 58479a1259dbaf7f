import type { Tools } from '../run/tools.ts';

/** Takes AWSPREVIOUS off a version. False: another run, or a person, moved it first; whatever the error was, the labels decide. */
export async function takeOffPrevious(
  secret: string,
  version: string,
  { secrets }: Tools,
): Promise<boolean> {
  try {
    await secrets.moveLabel(secret, 'AWSPREVIOUS', { from: version });
    return true;
  } catch (error) {
    const again = await secrets.describe(secret);
    if (!again || again.labels.AWSPREVIOUS === version) throw error;
    return false;
  }
}
