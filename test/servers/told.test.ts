/** What `npm test` says at its end of the real servers. */
import { expect, test } from 'vitest';
import { describeTested, givenServers } from '../../bin/real-servers.js';

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
