/** The packaged stack: what is set, who may do what, and that each of these tests can fail. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { lint } from '../../src/lint/lint.ts';
import { retentionDays } from '../../src/table/retention.ts';
import { localShop } from '../support/shop.ts';
import { findings } from './checks.ts';
import { faults } from './planted.ts';
import {
  functionsOf,
  type Json,
  mappingsOf,
  ofType,
  type Packaged,
  packaged,
  statementsOf,
} from './template.ts';

const account = 'eu-central-1:123456789012';

/** Everything that can be chosen, chosen. */
const chosen = {
  table: 'shop-table',
  stream: `arn:aws:dynamodb:${account}:table/shop-table/stream/2026-11-20T00:00:00.000`,
  searchEndpoint: 'https://search.example.com',
  searchSecret: 'shop/search',
  cacheEndpoint: 'rediss://cache.example.com:6379',
  cacheSecret: `arn:aws:secretsmanager:${account}:secret:shop/cache-AbCdEf`,
  subnets: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  securityGroup: 'sg-0123456789abcdef0',
  kmsKey: `arn:aws:kms:${account}:key/11111111-2222-3333-4444-555555555555`,
  capacityMode: 'PROVISIONED',
  capacityUnits: '7',
  alarmEmail: 'ops@example.com',
};

let plain: Packaged;
let full: Packaged;
/** Search takes no password, but signed requests. */
let signed: Packaged;

beforeAll(() => {
  plain = packaged('prod');
  full = packaged('dev', chosen);
  signed = packaged('prod', {
    searchEndpoint: 'https://search.example.com',
    searchArn: `arn:aws:es:${account}:domain/shop`,
  });
}, 300_000); // three packagings, on a machine that may have other things to do

afterAll(() => {
  for (const { folder } of [plain, full, signed]) rmSync(folder, { recursive: true, force: true });
});

describe('nothing is wrong', () => {
  test('as it comes', () => expect(findings(plain.template)).toEqual([]));

  test('with everything chosen; its ARNs are literal, and nothing else', () => {
    const literal = /^validator: W90(02|13) /;
    expect(findings(full.template).filter((line) => !literal.test(line))).toEqual([]);
    expect(full.template.Resources).not.toHaveProperty('Table');
  });
});

test.each(['as it comes', 'with everything chosen'])('`sluice lint` finds nothing in it, %s', (form) => {
  const { file } = form === 'as it comes' ? plain : full;
  const { mappings, findings, unjudged } = lint(readFileSync(file, 'utf8'));
  expect({ mappings, findings, unjudged }).toEqual({ mappings: 3, findings: [], unjudged: [] });
});

describe('what is planted is found', () => {
  test.each(Object.keys(faults))('%s', (name) => {
    const template = structuredClone(plain.template);
    const { plant, found } = faults[name] as (typeof faults)[string];
    plant(template.Resources as Json);
    expect(template).not.toEqual(plain.template);
    expect(findings(template)).toContainEqual(expect.stringMatching(found));
  });
});

describe('rights', () => {
  test('mail goes out from the declared address only', () => {
    const [sending] = statementsOf(full.template, 'MailLambdaFunction').filter(({ Action }) =>
      Action.includes('ses:SendEmail'),
    );
    expect(sending?.Condition).toEqual({ StringEquals: { 'ses:FromAddress': 'shop@example.com' } });
  });

  test('only those that reach search and cache go into the subnets', () => {
    const inside = functionsOf(full.template).filter(([, { Properties }]) => Properties.VpcConfig);
    expect(inside.map(([id]) => id)).toEqual([
      'ProjectLambdaFunction',
      'RedriveLambdaFunction',
      'ApiLambdaFunction',
    ]);
  });
});

test('the tables have the keys, indexes and streams of those that a local run makes', async () => {
  const shop = await localShop();
  const tables = {
    Table: 'TABLE',
    Outbox: 'OUTBOX_TABLE',
    Deliveries: 'DELIVERIES_TABLE',
    Audit: 'AUDIT_TABLE',
  };
  const byName = (one: Json, other: Json) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
  for (const [id, variable] of Object.entries(tables)) {
    const TableName = shop.config[`SLUICE_${variable}` as 'SLUICE_TABLE'];
    const { Table = {} } = await shop.dynamodb.send(new DescribeTableCommand({ TableName }));
    const { Properties } = plain.template.Resources[id] as Json;
    expect(Properties.KeySchema).toEqual(Table.KeySchema);
    expect([...Properties.AttributeDefinitions].sort(byName)).toEqual(
      [...(Table.AttributeDefinitions ?? [])].sort(byName),
    );
    const indexes = (Table.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }));
    expect([...(Properties.GlobalSecondaryIndexes ?? [])].sort(byName)).toEqual(indexes.sort(byName));
    expect(Properties.StreamSpecification?.StreamViewType).toBe(Table.StreamSpecification?.StreamViewType);
  }
  await shop.stop();
});

test('time to live reads what the writers write', () => {
  const ttl = (id: string) => plain.template.Resources[id]?.Properties.TimeToLiveSpecification?.AttributeName;
  expect({
    table: ttl('Table'),
    outbox: ttl('Outbox'),
    deliveries: ttl('Deliveries'),
    audit: ttl('Audit'),
  }).toEqual({
    table: app.table.ttl,
    outbox: 'expires',
    deliveries: undefined,
    audit: undefined,
  });
});

test('failed batches are kept as long as the longest replay, and no longer', () => {
  const [rule] = plain.template.Resources.Failures?.Properties.LifecycleConfiguration.Rules ?? [];
  expect(rule).toMatchObject({ Status: 'Enabled', ExpirationInDays: retentionDays.failedBatches });
});

test('no logical id of a table, mapping or bus ever changes: a new one would be an empty table, or a replay', () => {
  const types = [
    'AWS::DynamoDB::Table',
    'AWS::Lambda::EventSourceMapping',
    'AWS::Events::EventBus',
    'AWS::Events::Archive',
    'AWS::S3::Bucket',
  ];
  const ids = types.flatMap((type) => ofType(plain.template, type).map(([id]) => id)).sort();
  expect(ids).toEqual([
    'Archive',
    'Audit',
    'Bus',
    'Deliveries',
    'Failures',
    'MailEventSourceMappingDynamodbOutbox',
    'NotifyEventSourceMappingDynamodbTable',
    'Outbox',
    'ProjectEventSourceMappingDynamodbTable',
    'ServerlessDeploymentBucket',
    'Table',
  ]);
  expect(mappingsOf(full.template).map(([id]) => id)).toEqual([
    'ProjectEventSourceMappingDynamodbShoptable',
    'NotifyEventSourceMappingDynamodbShoptable',
    'MailEventSourceMappingDynamodbOutbox',
  ]);
});

test('outside dev stages data outlives the stack, and refuses to be deleted', () => {
  const kept = (template: Packaged['template']) =>
    ofType(template, 'AWS::DynamoDB::Table').map(([, { DeletionPolicy, Properties }]) => [
      DeletionPolicy,
      Properties.DeletionProtectionEnabled,
    ]);
  expect(new Set(kept(full.template).flat())).toEqual(new Set(['Delete', false]));
  expect(new Set(kept(plain.template).flat())).toEqual(new Set(['Retain', true]));
});

test('provisioned tables say their units, on every index too', () => {
  const units = { ReadCapacityUnits: 7, WriteCapacityUnits: 7 };
  for (const [, { Properties }] of ofType(full.template, 'AWS::DynamoDB::Table')) {
    expect(Properties.ProvisionedThroughput).toEqual(units);
    for (const index of Properties.GlobalSecondaryIndexes ?? [])
      expect(index.ProvisionedThroughput).toEqual(units);
  }
});

test('what the functions are given is what they can read', () => {
  for (const { template } of [plain, full])
    for (const [, { Properties }] of functionsOf(template)) {
      const given = Object.entries(Properties.Environment.Variables).map(([name, value]) => [
        name,
        name === 'SLUICE_FAILURES'
          ? 's3://bucket/aws/lambda/'
          : typeof value === 'string'
            ? value
            : `a-${name}`,
      ]);
      expect(() => readConfig(Object.fromEntries(given))).not.toThrow();
    }
});

test('where the domain is named, requests to it are signed', () => {
  const signing = ({ template }: Packaged) =>
    new Set(
      functionsOf(template).map(
        ([, { Properties }]) => Properties.Environment.Variables.SLUICE_SEARCH_SIGNING,
      ),
    );
  expect([plain, full, signed].map(signing)).toEqual([new Set(['none']), new Set(['none']), new Set(['es'])]);
});

test('a command by hand is given all that the functions are given, and reads it', () => {
  for (const { template } of [plain, full]) {
    const line: string = template.Outputs.CommandLine?.Value['Fn::Sub'];
    const told = Object.fromEntries(
      line.split(' ').map((one) => [one.split('=', 1)[0], one.slice(one.indexOf('=') + 1)]),
    );
    const [, { Properties }] = functionsOf(template)[0] as [string, Json];
    const { NODE_OPTIONS, SLUICE_METRICS_NAMESPACE, ...given } = Properties.Environment.Variables;
    const expected = Object.entries<Json>(given).filter(([, value]) => value !== '');
    expect(told).toEqual({
      AWS_REGION: '${AWS::Region}',
      ...Object.fromEntries(
        expected.map(([name, value]) => [name, value['Fn::Sub'] ?? (value.Ref ? `\${${value.Ref}}` : value)]),
      ),
    });
    expect(told).toMatchObject({ SLUICE_EVENT_SOURCE: 'sluice.shop', SLUICE_BUS: '${Bus}' });
  }
});

test('no two stages share a name', () => {
  const texts = (template: Packaged['template']) =>
    Object.values(template.Resources).flatMap(({ Properties = {} }) =>
      Object.entries(Properties).flatMap(([name, value]) =>
        /Name$/.test(name) && typeof value === 'string' && value.includes('sluice') ? [value] : [],
      ),
    );
  expect(texts(plain.template).filter((name) => texts(full.template).includes(name))).toEqual([]);
});

test('whoever has deployed reads what is off, and how it is turned on', () => {
  expect(plain.template.Outputs.Off?.Value).toContain('searchEndpoint');
  expect(full.template.Outputs.Off).toBeUndefined();
  expect(full.template.Outputs.On?.Value).toContain('https://search.example.com');
  expect(plain.template.Outputs.IdleCosts?.Value).toContain('once a minute');
});

test('the template holds the names of secrets, never what they hold', () => {
  expect(readFileSync(join(full.folder, 'serverless-state.json'), 'utf8')).not.toMatch(
    /"password"|SecretString/,
  );
});
