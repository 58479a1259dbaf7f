/** The same calls in the same order as a function makes them, by nothing but node:https and kept-alive connections. */
const { readFileSync } = require('node:fs');
const https = require('node:https');

const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);

function call({ url, method, headers, body }, agent) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers, agent, ca }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString() || 'null')));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Stages of one token follow each other, the calls of a stage go together; so many tokens are worked on at once. */
async function take({ stages, tokens, inFlight }) {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const agent = new https.Agent({ keepAlive: true, maxSockets: inFlight });
  let left = tokens;
  const work = async () => {
    for (; left > 0; ) {
      left -= 1;
      for (const stage of stages) await Promise.all(stage.map((each) => call(each, agent)));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  agent.destroy();
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuMs: (user + system) / 1_000,
    wallMs: performance.now() - wall,
    peakMb: 0,
    results: {},
  };
}

process.on('disconnect', () => process.exit());
process.on('message', async (given) => {
  try {
    process.send({ answer: await take(given) });
  } catch (error) {
    process.send({ error: `${error.stack}` });
  }
});
