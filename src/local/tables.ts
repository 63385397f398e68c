/** The tables as a deployment has them: the app's own, and those of deliveries, outbox and audit trail. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import type { Config } from '../config.ts';
import { dueIndex } from '../deliveries/rows.ts';
import { tagIndex } from '../mail/feedback.ts';
import type { Table } from '../table/table.ts';

export type StreamArns = { table: string; outbox: string };

/** Creates each table that is not there yet, and says where the two streams are. */
export async function ensureTables(
  dynamodb: DynamoDBClient,
  config: Config,
  table: Table,
): Promise<StreamArns> {
  await create(dynamodb, {
    ...base(config.SLUICE_TABLE, table.pk, table.sk),
    ...indexes(table),
    ...streamed,
  });
  await create(dynamodb, {
    ...base(config.SLUICE_OUTBOX_TABLE, 'pk', 'sk'),
    ...dueFirst([], byTag),
    ...streamed,
  });
  await create(dynamodb, {
    ...base(config.SLUICE_DELIVERIES_TABLE, 'pk', 'sk'),
    ...dueFirst(['item', 'firstAt']),
  });
  await create(dynamodb, base(config.SLUICE_AUDIT_TABLE, 'pk', 'sk'));
  return {
    table: await streamOf(dynamodb, config.SLUICE_TABLE),
    outbox: await streamOf(dynamodb, config.SLUICE_OUTBOX_TABLE),
  };
}

const streamed = {
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
} as const;

/** What redrive and the sender look for: holds and mail by the time at which they are due. */
function dueFirst(shown: string[], ...others: Index[]) {
  const due: Index = {
    IndexName: dueIndex,
    KeySchema: keySchema('queue', 'due'),
    Projection: shown.length === 0 ? keysOnly : { ProjectionType: 'INCLUDE', NonKeyAttributes: shown },
  };
  const texts = ['pk', 'sk', 'queue', ...others.flatMap(({ KeySchema = [] }) => KeySchema.map(nameOf))];
  return {
    AttributeDefinitions: [
      ...texts.map(stringAttribute),
      { AttributeName: 'due', AttributeType: 'N' as const },
    ],
    GlobalSecondaryIndexes: [due, ...others],
  } satisfies Partial<CreateTableCommandInput>;
}

type Index = GlobalSecondaryIndex;

const keysOnly = { ProjectionType: 'KEYS_ONLY' } as const;

/** What SES reports of a mail names its tag. */
const byTag: Index = {
  IndexName: tagIndex,
  KeySchema: [{ AttributeName: 'tag', KeyType: 'HASH' }],
  Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['change', 'email', 'policy'] },
};

const nameOf = ({ AttributeName = '' }: { AttributeName?: string | undefined }) => AttributeName;

function base(TableName: string, pk: string, sk: string) {
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(pk, sk),
    AttributeDefinitions: [pk, sk].map(stringAttribute),
  } satisfies CreateTableCommandInput;
}

function indexes({ pk, sk, indexes }: Table): Partial<CreateTableCommandInput> {
  const keys = Object.entries(indexes);
  if (keys.length === 0) return {};
  return {
    AttributeDefinitions: [pk, sk, ...keys.flatMap(([, index]) => [index.pk, index.sk])].map(stringAttribute),
    GlobalSecondaryIndexes: keys.map(([IndexName, index]) => ({
      IndexName,
      KeySchema: keySchema(index.pk, index.sk),
      Projection: { ProjectionType: 'ALL' },
    })),
  };
}

function keySchema(pk: string, sk: string) {
  return [
    { AttributeName: pk, KeyType: 'HASH' as const },
    { AttributeName: sk, KeyType: 'RANGE' as const },
  ];
}

function stringAttribute(AttributeName: string) {
  return { AttributeName, AttributeType: 'S' as const };
}

async function create(dynamodb: DynamoDBClient, input: CreateTableCommandInput): Promise<void> {
  try {
    await dynamodb.send(new CreateTableCommand(input));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}

async function streamOf(dynamodb: DynamoDBClient, TableName: string): Promise<string> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  const arn = Table?.LatestStreamArn;
  if (arn === undefined)
    throw new Error(`The table ${TableName} has no stream; turn it on with NEW_AND_OLD_IMAGES.`);
  return arn;
}
