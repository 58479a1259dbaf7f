import { expect, it } from 'vitest';
import { measure } from '../../bin/keyturn/doctor/measure.ts';
import type { Engine } from '../../bin/keyturn/engine.ts';
import { InterruptedError } from '../../bin/keyturn/waiting.ts';
import { readPolicyFile } from '../../lib/policy-file.ts';
import { openScreen } from '../docs/screen.ts';

const { policy } = readPolicyFile('keyturn.example.yaml');

/** A person presses Ctrl-C while this machine removes what it has made, and the measurement then ends so. */
function stoppedAtTheEnd(answer: object) {
  const engine: Engine = {
    placeOf: () => 'this machine',
    call: () => Promise.reject(new InterruptedError('stopped')),
    stopMeasuring: () => Promise.resolve(answer),
  };
  return measure(policy, engine, { yes: true }, openScreen('', []).terminal);
}

const whole = { database: 'keyturn-measure-1', tookSeconds: 9, removed: [], findings: [] };
const profile = { keyturnProfile: 1 };

it('after Ctrl-C behind the last question, says what could not be removed', async () => {
  const left = ['database keyturn-measure-1: DELETE answered 403'];
  await expect(stoppedAtTheEnd({ ...whole, profile, left })).rejects.toThrow(
    /^stopped: the measurement was over; left: database keyturn-measure-1: DELETE answered 403$/,
  );
});

it('and else, that nothing is left', async () => {
  await expect(stoppedAtTheEnd({ ...whole, profile, left: [] })).rejects.toThrow(
    /^stopped: the measurement was over; what it had made is removed$/,
  );
});
