import type { Tools } from '../run/tools.ts';

/** Takes a label off a version. False: another run, or a person, moved it first; whatever the error was, the labels decide. */
export async function takeLabelOff(
  { secret, label, version }: Record<'secret' | 'label' | 'version', string>,
  { secrets }: Pick<Tools, 'secrets'>,
): Promise<boolean> {
  try {
    await secrets.moveLabel(secret, label, { from: version });
    return true;
  } catch (error) {
    const again = await secrets.describe(secret);
    if (!again || again.labels[label] === version) throw error;
    return false;
  }
}
