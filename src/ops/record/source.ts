/** Which stream is recorded: a named server's, the local run's, or that of the environment's AWS account. */
import {
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { readConfig } from '../../config.ts';

export type Source = {
  /** For people: an address, or the account's region. */
  where: string;
  /** On this machine. */
  local: boolean;
  /** AWS itself, and not one of its stand-ins. */
  aws: boolean;
  region: string;
  table: string;
  streamArn: string;
  /** When the stream's table was made. */
  created: Date;
  streams: DynamoDBStreamsClient;
  close(): void;
};

type Wanted = {
  endpoint?: string | undefined;
  aws: boolean;
  table?: string | undefined;
  environment: Readonly<Record<string, string | undefined>>;
};

type Place = {
  where: string;
  local: boolean;
  client: ConstructorParameters<typeof DynamoDBClient>[0] & object;
  endpoints?: { dynamodb: string; streams: string };
};

/** Stand-ins take any; letters and digits only, since DynamoDB Local takes no others. */
const dummies = { accessKeyId: 'local', secretAccessKey: 'local' };
const anyRegion = 'eu-central-1';

export async function openSource(
  wanted: Wanted,
  running: Readonly<Record<string, string>> | undefined,
): Promise<Source> {
  const run = wanted.endpoint === undefined && !wanted.aws ? running : undefined;
  const environment = { ...wanted.environment, ...run };
  const TableName = wanted.table ?? readConfig(environment).SLUICE_TABLE;
  const { where, local, client, endpoints } = placeOf(wanted, run);
  // Behind a server that does not answer, Ctrl-C would wait for ever.
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };
  const settings = { ...client, requestHandler };
  const dynamodb = new DynamoDBClient({ ...settings, ...(endpoints && { endpoint: endpoints.dynamodb }) });
  const streams = new DynamoDBStreamsClient({
    ...settings,
    ...(endpoints && { endpoint: endpoints.streams }),
  });
  try {
    const region = await dynamodb.config.region().catch((cause: Error) => {
      throw new Error(`The region is not known: ${cause.message}. Name it in AWS_REGION.`, { cause });
    });
    const found = await describe(dynamodb, TableName, where);
    return {
      where: endpoints === undefined ? `AWS, ${region}` : where,
      local,
      aws: endpoints === undefined,
      region,
      table: TableName,
      ...streamOf(found, TableName),
      streams,
      close: () => streams.destroy(),
    };
  } catch (error) {
    streams.destroy();
    throw error;
  } finally {
    dynamodb.destroy();
  }
}

function placeOf(
  { endpoint, aws, environment }: Wanted,
  run: Readonly<Record<string, string>> | undefined,
): Place {
  if (endpoint !== undefined) {
    const local = isLoopback(urlOf(endpoint));
    const region = environment.AWS_REGION;
    return {
      where: endpoint,
      local,
      // Off this machine it may be a real one: it gets the credentials and region that were meant for it.
      client: local ? { region: region || anyRegion, credentials: dummies } : {},
      endpoints: { dynamodb: endpoint, streams: endpoint },
    };
  }
  if (aws) return { where: 'AWS', local: false, client: {} };
  const dynamodb = run?.AWS_ENDPOINT_URL_DYNAMODB;
  if (run === undefined || dynamodb === undefined)
    throw new Error(
      'There is no stream to record: no local run is going. Start one with "npm start", or name a server with --endpoint <url>, or take the AWS account of your environment with --aws.',
    );
  return {
    where: dynamodb,
    local: isLoopback(urlOf(dynamodb)),
    client: { region: run.AWS_REGION ?? anyRegion, credentials: dummies },
    endpoints: { dynamodb, streams: run.AWS_ENDPOINT_URL_DYNAMODB_STREAMS ?? dynamodb },
  };
}

function urlOf(endpoint: string): URL {
  const url = URL.parse(endpoint);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`--endpoint is an http or https URL, such as http://127.0.0.1:8000.`);
  // Tables and streams have different addresses there.
  if (/\.amazonaws\.com(\.cn)?$/.test(url.hostname))
    throw new Error('--endpoint is for other servers than AWS itself. Leave it out and say --aws.');
  return url;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

async function describe(dynamodb: DynamoDBClient, TableName: string, where: string) {
  try {
    return (await dynamodb.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (cause) {
    if (cause instanceof ResourceNotFoundException)
      throw new Error(
        `There is no table ${TableName} at ${where}. Name the table with --table or in SLUICE_TABLE.`,
        { cause },
      );
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new Error(`DynamoDB at ${where} does not say what the table ${TableName} is: ${message}`, {
      cause,
    });
  }
}

function streamOf(
  found: TableDescription | undefined,
  TableName: string,
): Pick<Source, 'streamArn' | 'created'> {
  const streamArn = found?.StreamSpecification?.StreamEnabled === false ? undefined : found?.LatestStreamArn;
  if (streamArn === undefined)
    throw new Error(`The table ${TableName} has no stream; turn it on with NEW_AND_OLD_IMAGES.`);
  return { streamArn, created: found?.CreationDateTime ?? new Date(0) };
}
