/** What each function really calls of AWS, as IAM would see it: every command that a client sends on its behalf. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESClient } from '@aws-sdk/client-ses';
import { vi } from 'vitest';
import { readConfig } from '../../src/config.ts';

type Sends = { send(...args: unknown[]): unknown };
type Command = { constructor: { name: string }; input: Record<string, unknown> };

const running = new AsyncLocalStorage<string>();

/** `action on place`, by function. */
export const called = new Map<string, Set<string>>();

/** What it calls from here on is this function's. */
export function inFunction<Args extends unknown[], Value>(name: string, run: (...args: Args) => Value) {
  return (...args: Args): Value => running.run(name, () => run(...args));
}

/** Listens in on every client; what S3 and Secrets Manager would answer is given by `answers`. */
export function listenIn(answers: Record<string, (input: Command['input']) => unknown>): void {
  for (const { prototype } of [
    DynamoDBClient,
    EventBridgeClient,
    S3Client,
    SecretsManagerClient,
    SESClient,
  ]) {
    const { send } = prototype as unknown as Sends;
    vi.spyOn(prototype as unknown as Sends, 'send').mockImplementation(function (this: unknown, ...args) {
      const command = args[0] as Command;
      const name = command.constructor.name.replace(/Command$/, '');
      note(name, command.input);
      const answer = answers[name];
      return answer === undefined ? send.apply(this, args) : Promise.resolve(answer(command.input));
    });
  }
}

function note(name: string, input: Command['input']): void {
  const owner = running.getStore();
  if (owner === undefined) return; // a test's own
  const calls = called.get(owner) ?? new Set();
  for (const call of callsOf(name, input)) calls.add(call);
  called.set(owner, calls);
}

/** A transaction needs the rights of its parts (Amazon DynamoDB developer guide, Using IAM with transactions). */
function callsOf(name: string, input: Command['input']): string[] {
  if (name === 'TransactWriteItems')
    return (input.TransactItems as Record<string, { TableName: string }>[]).flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => `${transacted[kind]} on ${placeOf(TableName)}`),
    );
  if (name === 'BatchGetItem')
    return Object.keys(Object(input.RequestItems)).map(
      (table) => `dynamodb:BatchGetItem on ${placeOf(table)}`,
    );
  if (name === 'PutEvents') {
    const entries = input.Entries as { EventBusName?: string }[];
    return entries.map(({ EventBusName }) => `events:PutEvents on ${placeOf(EventBusName)}`);
  }
  const known = others[name];
  if (known !== undefined) return [known(input)];
  const { TableName, IndexName } = input as { TableName: string; IndexName?: string };
  const place = placeOf(TableName);
  if (IndexName === undefined) return [`dynamodb:${name} on ${place}`];
  return [`dynamodb:${name} on ${place}/index/${place === 'table' ? '*' : IndexName}`];
}

const transacted: Record<string, string> = {
  Put: 'dynamodb:PutItem',
  Update: 'dynamodb:UpdateItem',
  Delete: 'dynamodb:DeleteItem',
  ConditionCheck: 'dynamodb:ConditionCheckItem',
};

const others: Record<string, (input: Command['input']) => string> = {
  ListObjectsV2: () => 's3:ListBucket on failures',
  GetObject: () => 's3:GetObject on failures',
  DeleteObject: () => 's3:DeleteObject on failures',
  SendEmail: () => 'ses:SendEmail on mail',
  GetSecretValue: ({ SecretId }) => `secretsmanager:GetSecretValue on secret/${SecretId}`,
};

const config = readConfig({});
const places = new Map([
  [config.SLUICE_TABLE, 'table'],
  [config.SLUICE_DELIVERIES_TABLE, 'deliveries'],
  [config.SLUICE_OUTBOX_TABLE, 'outbox'],
  [config.SLUICE_AUDIT_TABLE, 'audit'],
  [config.SLUICE_BUS, 'bus'],
]);

function placeOf(name: unknown): string {
  return places.get(String(name)) ?? `something unknown: ${name}`;
}
