/** The tables of the stack: what they hold is declared once in `src/tables.ts`, how they are kept stands here. */
import type { Table } from '../table/table.ts';
import { type TableName, type TableShape, tablesOf } from '../tables.ts';
import type { Settings } from './settings.ts';

/** The logical ids. Under another one CloudFormation would make a new, empty table. */
export const tableIds = {
  table: 'Table',
  outbox: 'Outbox',
  deliveries: 'Deliveries',
  audit: 'Audit',
} as const;

/** Without the app's own where one is there already. */
export function tableResources(table: Table, settings: Settings): Record<string, unknown> {
  const shapes = Object.entries(tablesOf(table)) as [TableName, TableShape][];
  return Object.fromEntries(
    shapes
      .filter(([name]) => name !== 'table' || settings.table === '')
      .map(([name, shape]) => [tableIds[name], resource(name, shape, settings)]),
  );
}

export const deletionPolicy = ({ keepData }: Settings) => (keepData === 'true' ? 'Retain' : 'Delete');

function resource(name: TableName, shape: TableShape, settings: Settings) {
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, streamed, ttl } = shape;
  const { kmsKey, capacityMode, keepData } = settings;
  const throughput = capacityOf(settings);
  return {
    Type: 'AWS::DynamoDB::Table',
    DeletionPolicy: deletionPolicy(settings),
    UpdateReplacePolicy: deletionPolicy(settings),
    Properties: {
      TableName: `${settings.name}-${name}`,
      BillingMode: capacityMode,
      ...throughput,
      KeySchema,
      AttributeDefinitions,
      ...(GlobalSecondaryIndexes.length > 0 && {
        GlobalSecondaryIndexes: GlobalSecondaryIndexes.map((index) => ({ ...index, ...throughput })),
      }),
      ...(streamed && { StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
      ...(ttl !== undefined && { TimeToLiveSpecification: { AttributeName: ttl, Enabled: true } }),
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: keepData === 'true',
      ...(kmsKey !== '' && {
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKey },
      }),
    },
  };
}

function capacityOf({ capacityMode, capacityUnits }: Settings) {
  if (capacityMode === 'PAY_PER_REQUEST') return {};
  const units = Number(capacityUnits);
  return { ProvisionedThroughput: { ReadCapacityUnits: units, WriteCapacityUnits: units } };
}
