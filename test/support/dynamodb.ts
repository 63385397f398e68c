/** The DynamoDB on which tests have their tables: dynoxide, or what SLUICE_TEST_ENGINE says. */
import { givenServers } from '../../bin/real-servers.js';
import { startDynamoDB } from '../../src/local/servers/dynamodb.ts';
import { openDoor } from './door.ts';

const { SLUICE_TEST_ENGINE: engine = 'dynoxide', SLUICE_TEST_SERVERS: servers } = process.env;
const given: Partial<Record<string, string>> = givenServers(servers);

export const onDynamoDBLocal = engine === 'dynamodb-local';

let opened = 0;

/** Whether tests of this file have tables on the DynamoDB Local that was given. */
export const hasRealTables = () => onDynamoDBLocal && opened > 0;

/** With no tables in it; where it is DynamoDB Local, a part of the one that was given. */
export async function openDynamoDB(): Promise<{ url: string; stop(): Promise<void> }> {
  opened += 1;
  if (!onDynamoDBLocal) return startDynamoDB();
  if (given.dynamodb === undefined)
    throw new Error(
      'SLUICE_TEST_ENGINE is dynamodb-local: SLUICE_TEST_SERVERS must name one, as dynamodb=URL.',
    );
  return openDoor(given.dynamodb);
}
