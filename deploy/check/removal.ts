/** A stack's end: what CloudFormation says of each resource, and what still lies there under its name. */
import { readFileSync } from 'node:fs';
import { CloudWatchLogsClient, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, paginateListTables } from '@aws-sdk/client-dynamodb';
import {
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListRulesCommand,
} from '@aws-sdk/client-eventbridge';
import { LambdaClient, paginateListEventSourceMappings, paginateListFunctions } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, type Report } from './report.ts';
import type { Stack } from './stack.ts';

/** `keeps`: what of it must stay, by logical id. The template may keep more, but nothing of a stage that keeps nothing. */
export async function removed(report: Report, stack: Stack, keeps: readonly string[]): Promise<void> {
  await report.check(`osls remove, ${stack.name}: what is left is what is meant to be kept`, async () => {
    const { Resources } = JSON.parse(readFileSync(stack.template, 'utf8'));
    const retained = Object.keys(Resources).filter((id) => Resources[id].DeletionPolicy === 'Retain');
    expect(
      keeps.every((id) => retained.includes(id)) && (keeps.length > 0 || retained.length === 0),
      `The template keeps ${listed(retained)}; it is to keep ${listed(keeps)}.`,
    );
    const resources = await stack.resources();
    const { id } = await stack.describe();
    await stack.osls('remove');
    const meant = retained.map((name) => resources.get(name) ?? name).sort();
    const left = await leftOf(stack.name);
    expect(left.join() === meant.join(), `Left: ${listed(left)}; meant: ${listed(meant)}.`);
    const ends = [...(await stack.ends(id))];
    const wrong = ends.filter(
      ([name, end]) => end !== (retained.includes(name) ? 'DELETE_SKIPPED' : 'DELETE_COMPLETE'),
    );
    expect(wrong.length === 0, wrong.map(([name, end]) => `${name}: ${end}`).join('\n'));
  });
}

function listed(names: readonly string[]): string {
  return names.join(', ') || 'nothing';
}

/** Of the kinds that hold data, run, or cost. */
type Names = (string | undefined)[];

async function all<Page>(pages: AsyncIterable<Page>, names: (page: Page) => Names): Promise<Names> {
  const found: Names = [];
  for await (const page of pages) found.push(...names(page));
  return found;
}

const kinds: (() => Promise<Names>)[] = [
  () => all(paginateListTables({ client: new DynamoDBClient({}) }, {}), ({ TableNames = [] }) => TableNames),
  async () => {
    const { Buckets = [] } = await new S3Client({}).send(new ListBucketsCommand({}));
    return Buckets.map(({ Name }) => Name);
  },
  () =>
    all(paginateListFunctions({ client: new LambdaClient({}) }, {}), ({ Functions = [] }) =>
      Functions.map(({ FunctionName }) => FunctionName),
    ),
  () =>
    all(
      paginateListEventSourceMappings({ client: new LambdaClient({}) }, {}),
      ({ EventSourceMappings = [] }) => EventSourceMappings.map(({ FunctionArn }) => FunctionArn),
    ),
  () =>
    all(paginateDescribeLogGroups({ client: new CloudWatchLogsClient({}) }, {}), ({ logGroups = [] }) =>
      logGroups.map(({ logGroupName }) => logGroupName),
    ),
  async () => {
    const { EventBuses = [] } = await new EventBridgeClient({}).send(new ListEventBusesCommand({}));
    return EventBuses.map(({ Name }) => Name);
  },
  async () => {
    const { Archives = [] } = await new EventBridgeClient({}).send(new ListArchivesCommand({}));
    return Archives.map(({ ArchiveName }) => ArchiveName);
  },
  async () => {
    const { Rules = [] } = await new EventBridgeClient({}).send(new ListRulesCommand({}));
    return Rules.map(({ Name }) => Name);
  },
];

async function leftOf(stackName: string): Promise<string[]> {
  const found = (await Promise.all(kinds.map((names) => names()))).flat();
  return found
    .filter((name) => name !== undefined && new RegExp(`\\b${stackName}\\b`).test(name))
    .sort() as string[];
}
