/**
 * The tables that there are: the app's own, and those of deliveries, outbox and audit trail. A local run creates them
 * from this, and the deployed stack is made of it.
 */
import { dueIndex } from './deliveries/rows.ts';
import { tagIndex } from './mail/feedback.ts';
import type { MailRow } from './mail/row.ts';
import type { Table } from './table/table.ts';

type Key = { AttributeName: string; KeyType: 'HASH' | 'RANGE' };
type Attribute = { AttributeName: string; AttributeType: 'S' | 'N' };
type Index = {
  IndexName: string;
  KeySchema: Key[];
  Projection: { ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE'; NonKeyAttributes?: string[] };
};

/** In the words that DynamoDB and CloudFormation share. */
export type TableShape = {
  KeySchema: Key[];
  AttributeDefinitions: Attribute[];
  GlobalSecondaryIndexes: Index[];
  /** Whether it has a stream, of both images. */
  streamed: boolean;
  /** The attribute that time to live reads: epoch seconds. */
  ttl?: string;
};

export type TableName = 'table' | 'outbox' | 'deliveries' | 'audit';

export function tablesOf(table: Table): Record<TableName, TableShape> {
  return {
    table: {
      ...shape(table.pk, table.sk, indexesOf(table)),
      streamed: true,
      ttl: table.ttl,
    },
    outbox: {
      ...shape('pk', 'sk', [dueFirst([]), byTag]),
      streamed: true,
      ttl: 'expires' satisfies keyof MailRow,
    },
    deliveries: { ...shape('pk', 'sk', [dueFirst(['item', 'firstAt'])]), streamed: false },
    audit: { ...shape('pk', 'sk', []), streamed: false },
  };
}

function indexesOf({ indexes }: Table): Index[] {
  return Object.entries(indexes).map(([IndexName, { pk, sk }]) => ({
    IndexName,
    KeySchema: keySchema(pk, sk),
    Projection: { ProjectionType: 'ALL' },
  }));
}

/** What redrive and the sender look for: holds and mail by the time at which they are due. */
function dueFirst(shown: string[]): Index {
  return {
    IndexName: dueIndex,
    KeySchema: keySchema('queue', due),
    Projection:
      shown.length === 0
        ? { ProjectionType: 'KEYS_ONLY' }
        : { ProjectionType: 'INCLUDE', NonKeyAttributes: shown },
  };
}

/** Epoch milliseconds; every other key is a text. */
const due = 'due';

/** What SES reports of a mail names its tag. */
const byTag: Index = {
  IndexName: tagIndex,
  KeySchema: [{ AttributeName: 'tag', KeyType: 'HASH' }],
  Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['change', 'email', 'policy'] },
};

function shape(pk: string, sk: string, indexes: Index[]): Omit<TableShape, 'streamed' | 'ttl'> {
  const keys = [keySchema(pk, sk), ...indexes.map(({ KeySchema }) => KeySchema)].flat();
  return {
    KeySchema: keySchema(pk, sk),
    AttributeDefinitions: [...new Set(keys.map(({ AttributeName }) => AttributeName))].map(
      (AttributeName) => ({
        AttributeName,
        AttributeType: AttributeName === due ? 'N' : 'S',
      }),
    ),
    GlobalSecondaryIndexes: indexes,
  };
}

function keySchema(pk: string, sk: string): Key[] {
  return [
    { AttributeName: pk, KeyType: 'HASH' },
    { AttributeName: sk, KeyType: 'RANGE' },
  ];
}
