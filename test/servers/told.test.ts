/** What `npm test` says at its end of the real servers. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeTested, givenServers, realServers } from '../../bin/real-servers.js';
import { all } from '../../servers/all.ts';

const results = (...tests: { status: string; name?: string; version?: string }[]) => ({
  testResults: [
    {
      assertionResults: tests.map(({ status, ...realServer }) => ({
        status,
        meta: 'name' in realServer ? { realServer } : {},
      })),
    },
  ],
});

test('what ran is told apart from what failed, what was given in vain and what was not given', () => {
  const given = givenServers('redis=redis://127.0.0.1:1 moto=http://127.0.0.1:2');
  const ran = [
    { status: 'passed' },
    { status: 'passed', name: 'opensearch', version: '3.7.0' },
    { status: 'passed', name: 'dynamodb' },
    { status: 'failed', name: 'dynamodb' },
    { status: 'skipped', name: 'moto' },
  ];
  expect(describeTested(results(...ran), given)).toBe(
    'real servers: OpenSearch 3.7.0 yes, DynamoDB Local FAILED, Redis no (no test of it ran), ' +
      'Redis cluster no (not in SLUICE_TEST_SERVERS), MiniStack no (not in SLUICE_TEST_SERVERS), ' +
      'moto no (no test of it ran)',
  );
});

test('a server that is none of ours is an error', () => {
  expect(() => givenServers('opensaerch=http://127.0.0.1:9200')).toThrow('names "opensaerch"');
});

test('compose.yaml pins each image, and the versions that npm run servers starts', () => {
  const { services } = parse(readFileSync(new URL('../../compose.yaml', import.meta.url), 'utf8'));
  const images = Object.values<{ image: string }>(services).map(({ image }) => image);
  for (const image of images) expect(image).toMatch(/^[a-z-]+\/[a-z-]+:\d+\.\d+\.\d+(-alpine)?$/);
  expect(images).toContain(`opensearchproject/opensearch:${all.opensearch?.title.split(' ').at(-1)}`);
  expect(images).toContain(`amazon/dynamodb-local:${all.dynamodb?.title.split(' ').at(-1)}`);
});

test('every server that can be started is one that tests can be given', () => {
  expect(Object.keys(realServers)).toEqual(Object.keys(all));
});
