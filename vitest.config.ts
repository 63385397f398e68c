import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { givenServers } from './bin/real-servers.js';

/** What takes minutes begins first, so that nobody waits for it alone; but never two tortures at once. */
const longest = ['torture/real', 'sinks/', 'local/', 'deliveries/', 'torture/torture'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.includes(`/test/${name}`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

const { SLUICE_TEST_ENGINE: engine, SLUICE_TEST_SERVERS: servers } = process.env;
const given: Partial<Record<string, string>> = givenServers(servers);

const filesIn = (...folders: string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);

/** Where tests have tables. */
const withTables = [
  ...filesIn('deliveries', 'events', 'hostile', 'http', 'mail', 'ops', 'other', 'pipeline', 'replay'),
  ...filesIn('sinks', 'table'),
  'test/deploy/{rights,template}.test.ts',
  'test/mapping/{engine,kill}.test.ts',
];

/** A second run of these, on DynamoDB Local; all of them take minutes (npm run test:dynamodb-local). */
const everyday = [...filesIn('table', 'pipeline'), 'test/deliveries/!(byHand).test.ts'];

const onDynamoDBLocal = (include: string[]) => ({
  extends: true as const,
  test: {
    name: 'on DynamoDB Local',
    include,
    env: { SLUICE_TEST_ENGINE: 'dynamodb-local' },
    setupFiles: ['test/support/noteTables.ts'],
  },
});

const everything = { extends: true as const, test: { name: 'here', include: ['test/**/*.test.ts'] } };
const isGiven = given.dynamodb !== undefined;

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Several files start servers and children of their own; two cores carry two files at once.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects:
      engine === 'dynamodb-local'
        ? [onDynamoDBLocal(withTables)]
        : [everything, ...(isGiven ? [onDynamoDBLocal(everyday)] : [])],
  },
});
