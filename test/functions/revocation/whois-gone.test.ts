import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { HOUR, TELEGRAF } from '../../world/policy.ts';
import { issuedForEachTest } from './issued.ts';

/** Somebody was faster: the leaked token that consumers have is dead already when a person asks whose it is. */
const world = await issuedForEachTest();

const currentId = () => world.holders(TELEGRAF).AWSCURRENT ?? '';
const fingerprint = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);

const KILLERS: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'a colleague deleted': (id) => world.people.deleteToken(id),
  'an order deleted': (tokenId) => world.revoke({ tokenId, way: 'delete', reason: 'leaked' }),
};

/** What is said of the secret's consumers. */
const NOW: Readonly<Record<string, RegExp>> = {
  'a colleague deleted': /consumers of \S+ have no token that works.*keyturn rotate telegraf/,
  'an order deleted': /consumers of \S+ have no token that works.*on hold \(deleted\).*lift/,
};

test.each(
  Object.keys(KILLERS).flatMap((who) => ['string', 'id', 'short id'].map((by) => [by, who])),
)('whois by the %s of a current token that %s says whose it was', async (by, who = '') => {
  const [id, string] = [currentId(), world.string(TELEGRAF)];
  await KILLERS[who]?.(id);
  await world.wait(HOUR);
  const tokenId = by === 'id' ? id : id.slice(0, 8);
  const selector = by === 'string' ? { fingerprint: fingerprint(string) } : { tokenId };
  const { result } = await world.revoke({ way: 'whois', ...selector });
  expect(result?.plan.tokens).toMatchObject([
    { tokenId: id, token: 'telegraf', secret: TELEGRAF, owned: true, state: 'revoked' },
  ]);
  expect(result?.plan.warnings).toContain(`${id} is revoked already`);
  expect(result?.plan.warnings).toContainEqual(expect.stringMatching(NOW[who] ?? /^$/));
});

test('whois of a token that was replaced and is gone says what its secret has now', async () => {
  const [id, string] = [currentId(), world.string(TELEGRAF)];
  await world.revoke({ tokenId: id, reason: 'leaked' });
  const { result } = await world.revoke({ way: 'whois', fingerprint: fingerprint(string) });
  expect(result?.plan.warnings).toContain(`${TELEGRAF} has ${currentId()} now (AWSCURRENT)`);
});

test('whois of a token that is gone says that what its secret has now does not work either', async () => {
  const [id, string] = [currentId(), world.string(TELEGRAF)];
  await world.revoke({ tokenId: id, reason: 'leaked' });
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'to be sure' });
  const { result } = await world.revoke({ way: 'whois', fingerprint: fingerprint(string) });
  expect(result?.plan.warnings).toContainEqual(
    expect.stringMatching(/has \S+ now \(AWSCURRENT\), which does not work either; .*frozen/),
  );
});

test('whois of a token that is gone says that its secret is scheduled for deletion', async () => {
  const [id, string] = [currentId(), world.string(TELEGRAF)];
  await world.revoke({ tokenId: id, reason: 'leaked' });
  await world.people.deleteSecret(TELEGRAF);
  const { result } = await world.revoke({ way: 'whois', fingerprint: fingerprint(string) });
  const said = result?.plan.warnings.join('; ');
  expect(said).toContain(`${TELEGRAF} is scheduled for deletion; restore it`);
  expect(said).not.toContain('keyturn rotate');
});

test('whois of a current token that is gone says whose it was where the cluster hides it', async () => {
  const id = currentId();
  world.cluster.manners = { hidesRevoked: true };
  await world.people.deleteToken(id);
  await world.wait(HOUR);
  const { result } = await world.revoke({ way: 'whois', tokenId: id });
  const said = result?.plan.warnings.join('; ');
  expect(said).toContain(`${id} is revoked already, and ${TELEGRAF} still has a version`);
  expect(said).toContain(`consumers of ${TELEGRAF} have no token that works`);
});

test('whois of a current token is about it alone, while its predecessor works on', async () => {
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const { result } = await world.revoke({ way: 'whois', tokenId: currentId() });
  expect(result?.plan.tokens).toMatchObject([{ tokenId: currentId(), state: 'current' }]);
  expect(result?.plan.warnings).toEqual([]);
});
