import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { createLambdaEngine } from '../../bin/keyturn/lambda-engine.ts';
import { answeringLambda, FAILED, previewOf, reportOf } from './answering-lambda.ts';
import { keyturn } from './cli.ts';

const ORDER = ['revoke', '--token', 'telegraf', '--freeze', '--reason', 'x', '--yes', '--json'];

const html = (status: number) => (response: ServerResponse) =>
  response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Blocked</html>');
const failing = (errorType: string, errorMessage: string) => (response: ServerResponse) =>
  response.writeHead(200, FAILED).end(JSON.stringify({ errorType, errorMessage }));
const refusing = (status: number, type: string) => (response: ServerResponse) =>
  response.writeHead(status, { 'x-amzn-errortype': type }).end('{"Message":"boom"}');

const PROXY = /not JSON.*a proxy or a firewall.*may go on in Lambda.*repeat the same command/;

it.each([
  ['a proxy’s page', html(200), PROXY],
  ['a proxy’s page with 502', html(502), PROXY],
  ['a proxy’s page with 403', html(403), PROXY],
  ['nothing', (response: ServerResponse) => response.writeHead(200).end(''), /an empty answer.*/],
  [
    'an answer that was too large',
    failing('Function.ResponseSizeTooLarge', 'Response payload size exceeded (6291556 bytes).'),
    /came to its end, and its answer was larger than Lambda passes on.*is done.*fewer tokens/,
  ],
  [
    'a report that was cut',
    failing('RevocationError', 'not all of the order was done\nError: 403\n{"way":"freeze","dr'),
    /^not all of the order was done\nError: 403\nIts report was cut.*repeat the same command/,
  ],
  [
    'an error of Lambda’s own',
    refusing(500, 'ServiceException'),
    /^Lambda failed to answer for keyturn-prod-revoke \(ServiceException: boom\).*may go on.*repeat/,
  ],
  [
    'a key that Lambda may not use',
    refusing(502, 'KMSAccessDeniedException'),
    /KMSAccessDeniedException: boom.*repeat the same command/,
  ],
])('says what happened, what goes on and what to do at: %s', async (_what, answer, message) => {
  const env = await answeringLambda((event, response) =>
    event.dryRun ? response.end(JSON.stringify(previewOf())) : answer(response),
  );
  const { code, stdout, stderr } = await keyturn(ORDER, { env });
  expect(code).toBe(1);
  const { error } = JSON.parse(stdout);
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/[{<]|Unexpected token/);
  expect(stderr).toContain(error.message);
});

it('says what an answer had no room for, and shows the rest', async () => {
  const leftOut = [{ list: 'plan.actions', shown: 1, of: 30_000, kinds: { strip: 30_000 } }];
  const env = await answeringLambda((_event, response) =>
    response.end(JSON.stringify({ ...previewOf(), leftOut })),
  );
  const order = ORDER.filter((each) => each !== '--yes');
  const { stdout, stderr } = await keyturn([...order, '--dry-run'], { env });
  expect(stderr).toContain(
    'the answer of keyturn-prod-revoke had no room for all that it found, and has first what failed or is not well: 1 of 30000 in plan.actions (in all 30000 strip)',
  );
  expect(JSON.parse(stdout)).toMatchObject({ leftOut });
});

/** Of each job a plan, of whose findings only a part had room. */
const cutPlan = {
  plan: { job: 'rotate', actions: [], findings: [], limits: [], refusals: [] },
  entries: [],
  leftOut: [{ list: 'plan.findings', shown: 0, of: 30_000, kinds: { NotOurs: 30_000 } }],
};
const CUT = /had no room for all .*: 0 of 30000 in plan\.findings \(in all 30000 NotOurs\)/;

it('nothing is well of a plan that is not whole', async () => {
  const env = await answeringLambda((_event, response) => response.end(JSON.stringify(cutPlan)));
  const { code, stderr } = await keyturn(['status'], { env });
  expect(stderr).toMatch(CUT);
  expect(code).toBe(1);
});

it('a plan that is not whole says so in every form', async () => {
  const env = await answeringLambda((_event, response) => response.end(JSON.stringify(cutPlan)));
  const json = await keyturn(['plan', '--job', 'rotate', '--json'], { env });
  expect(JSON.parse(json.stdout)).toMatchObject([{ findings: [], leftOut: cutPlan.leftOut }]);
  const markdown = await keyturn(['plan', '--job', 'rotate', '--markdown'], { env });
  expect(markdown.stdout.replaceAll('\\', '')).toMatch(CUT);
});

it('an order that failed says what its report had no room for', async () => {
  const leftOut = [{ list: 'tokens', shown: 0, of: 24, kinds: { 'revoked: done': 24 } }];
  const report = JSON.stringify(reportOf({ done: false, confirmed: false, leftOut }));
  const env = await answeringLambda((event, response) =>
    event.dryRun
      ? response.end(JSON.stringify(previewOf()))
      : failing('RevocationError', `not all of the order was done\n${report}`)(response),
  );
  const { code, stderr } = await keyturn(ORDER, { env });
  expect(stderr).toMatch(/had no room for all .*: 0 of 24 in tokens/);
  expect(code).toBe(1);
});

it('no more of an answer is read than Lambda passes on, and it says so', async () => {
  const env = await answeringLambda((_event, response) => {
    response.end(`"${'x'.repeat(9 * 2 ** 20)}"`);
  });
  const { code, stderr } = await keyturn(ORDER, { env });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /keyturn-prod-revoke did not answer \(the answer is longer than 8 MB.*so nothing was done/s,
  );
});

it.each(['a refusal', 'an answer'])(
  'shows nothing of the credentials of AWS that somebody repeats: in %s',
  async (kind) => {
    const secrets = {
      AWS_SECRET_ACCESS_KEY: randomBytes(30).toString('base64'),
      AWS_SESSION_TOKEN: `IQoJ${randomBytes(90).toString('base64')}`,
    };
    const message = `cannot read ${JSON.stringify(secrets)}`;
    const env = await answeringLambda((_event, response) =>
      kind === 'an answer'
        ? failing('Error', message)(response)
        : response
            .writeHead(400, { 'x-amzn-errortype': 'InvalidRequestException' })
            .end(JSON.stringify({ message })),
    );
    const { code, stdout, stderr } = await keyturn(ORDER, { env: { ...env, ...secrets } });
    expect(code).toBe(1);
    expect(stderr).toContain('cannot read');
    expect(stdout).toContain('cannot read');
    for (const secret of Object.values(secrets)) {
      expect(stdout + stderr).not.toContain(secret.slice(10, 30));
    }
  },
);

const saying = (payload: string) => (response: ServerResponse) =>
  response.writeHead(200, FAILED).end(payload);
const TIMED_OUT = failing('', '2026-11-26T18:00:00Z abc Task timed out after 900.00 seconds');

it.each([
  ['a proxy’s page', html(200)],
  ['nothing', (response: ServerResponse) => response.writeHead(200).end('')],
  ['an error of Lambda’s own', refusing(500, 'ServiceException')],
  ['a connection that is cut', (response: ServerResponse) => response.destroy()],
  ['a run that was too long', TIMED_OUT],
  ['an answer that was too large', failing('Function.ResponseSizeTooLarge', 'too large')],
  ['an error without a message', saying('{"errorType":"Error"}')],
])('of a question nothing was done, whatever becomes of it: %s', async (_what, answer) => {
  const env = await answeringLambda((_event, response) => answer(response));
  const { code, stdout } = await keyturn(ORDER, { env });
  expect(code).toBe(1);
  const { message } = JSON.parse(stdout).error;
  expect(message).toMatch(/nothing was done.*repeat the (?:same )?command/);
  expect(message).not.toMatch(/go(?:es)? on|may continue|is done|undefined/);
});

it.each([
  ['null', 'no error'],
  ['[]', 'no error'],
  ['"x"', 'no error'],
  ['{"errorType":"Error"}', 'Error'],
  ['{"errorType":"Error","errorMessage":""}', 'Error'],
])('an error that says nothing is a sentence: %s', async (payload, why) => {
  const env = await answeringLambda((event, response) =>
    event.dryRun ? response.end(JSON.stringify(previewOf())) : saying(payload)(response),
  );
  const { code, stderr } = await keyturn(ORDER, { env });
  expect(code).toBe(1);
  expect(stderr).toContain(
    `keyturn: keyturn-prod-revoke failed and did not say why (${why}); what it did is in its log: repeat`,
  );
});

it('no wait is without an end, and says what may go on', async () => {
  const env = await answeringLambda(() => {});
  const engine = createLambdaEngine(
    'keyturn-prod-',
    {
      endpoint: env.AWS_ENDPOINT_URL_LAMBDA ?? '',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    },
    { look: 1_000, order: 2_000 },
  );
  const [look, order] = await Promise.allSettled([
    engine.call('revoke', { token: 'x', dryRun: true }),
    engine.call('revoke', { token: 'x', reason: 'x' }),
  ]);
  const failedWith = (message: RegExp) => ({ reason: { message: expect.stringMatching(message) } });
  expect(look).toMatchObject(failedWith(/did not answer within 1s; .*nothing was done: repeat/));
  expect(order).toMatchObject(failedWith(/did not answer within 2s; .*is in its log.*repeat/));
});

/** As the system answers for a user without an entry in passwd, in a container that runs as any number. */
const NAMELESS = `
import os from 'node:os';
import { syncBuiltinESMExports } from 'node:module';
const fail = () => { throw new Error('uv_os_get_passwd returned ENOENT') };
process.getuid = () => 54321;
os.userInfo = fail;
if (!process.env.HOME) os.homedir = fail;
syncBuiltinESMExports();
`;

it('a user without a name and a home gives orders, which say the number', async () => {
  const orders: unknown[] = [];
  const env = await answeringLambda((event, response) => {
    orders.push(event.by);
    response.end(JSON.stringify(event.dryRun ? previewOf() : reportOf()));
  });
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(NAMELESS)}`;
  const { code, stderr } = await keyturn(ORDER, { env: { ...env, NODE_OPTIONS } });
  expect(stderr).not.toContain('ENOENT');
  expect(code).toBe(0);
  const by = `uid 54321@${hostname()}`;
  expect(orders).toEqual([by, by]);
});
