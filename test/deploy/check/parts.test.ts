/** What `deploy:check` stands on: it reaches nothing but this machine, cuts servers off, and counts what it finds. */
import { afterEach, expect, test } from 'vitest';
import { startRelay } from '../../../deploy/check/relay.ts';
import { openReport, Stopped } from '../../../deploy/check/report.ts';
import { isLoopback, sealed } from '../../../deploy/check/sealed.ts';
import { listen } from '../../../src/local/servers/http.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

test('nothing of the user’s account is handed on', () => {
  const own = {
    PATH: '/bin',
    AWS_PROFILE: 'prod',
    AWS_ENDPOINT_URL_S3: 'https://s3.amazonaws.com',
    AWS_SESSION_TOKEN: 'secret',
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    AWS_ACCESS_KEY_ID: 'AKIAREAL',
    SLUICE_TABLE: 'prod-table',
    SERVERLESS_ACCESS_KEY: 'secret',
  };
  const environment = sealed(own, 'http://127.0.0.1:4566');
  expect(environment).toMatchObject({
    PATH: '/bin',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
  expect(JSON.stringify(environment)).not.toMatch(/prod|secret|AKIAREAL|amazonaws|IGNORE_CONFIGURED/);
});

test.each([
  'https://dynamodb.eu-central-1.amazonaws.com',
  'http://127.0.0.1.example.com:4566',
  'http://127.0.0.1@example.com',
  'http://10.0.0.1:4566',
  'http://0.0.0.0:4566',
  'not a URL',
])('it refuses to run against %s', (endpoint) => {
  expect(isLoopback(endpoint)).toBe(false);
  expect(() => sealed({}, endpoint)).toThrow(/this machine only/);
});

test('a server behind a relay can be cut off and come back', async () => {
  const server = await listen(0, () => ({ status: 200, body: 'here' }));
  const relay = await startRelay(server.url);
  stops.push(server.stop, relay.cut);
  const asked = () => fetch(relay.url).then((answer) => answer.text());
  expect(await asked()).toBe('here');
  await relay.cut();
  await expect(asked()).rejects.toThrow();
  await relay.mend();
  expect(await asked()).toBe('here');
});

test('a relay refuses what it could not stand before', async () => {
  await expect(startRelay('https://search.example.com')).rejects.toThrow(/http:\/\/ or redis:\/\/ only/);
});

test('what is missing after its time is a failure, told with where to look, and the rest is still checked', async () => {
  const { report, said } = listening();
  await report.check('the row', () =>
    report.eventually('the row in sluice-check-audit (function project)', async () => undefined, {
      within: 0.3,
    }),
  );
  await report.check('the mail', async () => 'sent');
  expect(said.join('\n')).toMatch(
    /^FAILED +0\.\d s {2}the row\n +Missing after 0\.3 s: the row in sluice-check-audit \(function project\)\nok +0\.0 s {2}the mail$/,
  );
  expect([report.passed(), report.failed()]).toEqual([1, 1]);
});

test('what comes in time is found', async () => {
  const { report } = listening();
  let looks = 0;
  const found = await report.eventually('it', async () => (++looks < 3 ? undefined : 'it'));
  expect(found).toBe('it');
});

test('without what is needed it stops, and that counts as failed', async () => {
  const { report } = listening();
  const deploy = () => Promise.reject(new Error('UPDATE_FAILED'));
  await expect(report.need('osls deploy', deploy)).rejects.toThrow(Stopped);
  expect([report.passed(), report.failed()]).toEqual([0, 1]);
});

test('an interruption ends the waiting and is no failure', async () => {
  const interruption = new AbortController();
  const { report } = listening(interruption.signal);
  const waiting = report.check('the row', () => report.eventually('the row', async () => undefined));
  interruption.abort();
  await expect(waiting).rejects.toThrow(/aborted/);
  expect(report.failed()).toBe(0);
});

function listening(signal = new AbortController().signal) {
  const said: string[] = [];
  return { said, report: openReport((line) => said.push(line), signal) };
}
