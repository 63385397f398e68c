/** One role for each function: what its code calls, and what Lambda does in its name. */
import type { Place, Right } from '../rights.ts';
import { type FunctionName, functionNames } from './rights.ts';
import { type Settings, signingOf } from './settings.ts';
import { tableIds } from './tables.ts';

type Arn = string | Record<string, unknown>;
type Statement = { Effect: 'Allow'; Action: string[]; Resource: Arn | Arn[]; Condition?: unknown };

/** The readers of streams, each with the stream that it reads. */
const streams = { project: 'table', notify: 'table', mail: 'outbox' } as const;
/** Those that search and cache are reached from. */
export const inSubnets: readonly FunctionName[] = ['project', 'redrive', 'api'];

const failuresPrefix = 'aws/lambda/'; // Lambda's own choice for its on-failure destination

function roleId(name: FunctionName): string {
  return `${name[0]?.toUpperCase()}${name.slice(1)}Role`;
}

export function roleResources(
  rights: Record<FunctionName, readonly Right[]>,
  settings: Settings,
): Record<string, unknown> {
  return Object.fromEntries(
    functionNames.map((name) => [roleId(name), role(settings, statementsOf(name, rights[name], settings))]),
  );
}

function role(settings: Settings, Statement: Statement[]) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      Policies: [{ PolicyName: settings.name, PolicyDocument: { Version: '2012-10-17', Statement } }],
    },
  };
}

function statementsOf(name: FunctionName, rights: readonly Right[], settings: Settings): Statement[] {
  const places = [...new Set(rights.map(({ on }) => on))];
  const called = places.map((place) => {
    const actions = rights.filter(({ on }) => on === place).map(({ action }) => action);
    return onPlace(place, actions, settings);
  });
  return [
    ...called.flat(),
    allow(
      `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${settings.name}-${name}:*`,
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ),
    ...(name in streams ? readerOf(streams[name as keyof typeof streams], settings) : []),
    ...(name === 'feedback' ? [allow(arnOf('FeedbackDeadLetters'), 'sqs:SendMessage')] : []),
    ...(inSubnets.includes(name) ? signedSearch(settings) : []),
    ...(settings.subnets !== '' && inSubnets.includes(name) ? networkInterfaces : []),
    ...(settings.kmsKey === '' ? [] : [allow(settings.kmsKey, 'kms:Decrypt', 'kms:GenerateDataKey')]),
  ];
}

/** Documents are only ever written, read and searched by POST: indices are made by a person (`sluice backfill`). */
function signedSearch(settings: Settings): Statement[] {
  const { searchArn } = settings;
  const signing = signingOf(settings);
  if (signing === 'none') return [];
  return [
    signing === 'es' ? allow(`${searchArn}/*`, 'es:ESHttpPost') : allow(searchArn, 'aoss:APIAccessAll'),
  ];
}

/** What Lambda does with the role of a stream's reader: reads the stream, and puts what failed into the bucket. */
function readerOf(stream: 'table' | 'outbox', settings: Settings): Statement[] {
  const streamArn =
    stream === 'table' && settings.stream !== ''
      ? settings.stream
      : { 'Fn::GetAtt': [tableIds[stream], 'StreamArn'] };
  return [
    allow(
      streamArn,
      'dynamodb:DescribeStream',
      'dynamodb:GetRecords',
      'dynamodb:GetShardIterator',
      'dynamodb:ListStreams',
    ),
    { ...allow(`\${Failures.Arn}/${failuresPrefix}*`, 's3:PutObject'), Condition: inThisAccount },
    { ...allow(arnOf('Failures'), 's3:ListBucket'), Condition: inThisAccount },
  ];
}

const inThisAccount = { StringEquals: { 's3:ResourceAccount': { Ref: 'AWS::AccountId' } } };

// As narrow as Lambda takes it: it looks interfaces up under no name, and checks the others with any.
// (AWS Lambda developer guide, Giving Lambda functions access to resources in an Amazon VPC.)
const networkInterfaces: Statement[] = [
  allow('*', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'),
  allow(
    'arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ),
];

function onPlace(place: Place, actions: string[], settings: Settings): Statement[] {
  if (place === 'failures')
    // A bucket is listed, its objects are read and removed.
    return actions.map((action) =>
      action === 's3:ListBucket'
        ? allow(arnOf('Failures'), action)
        : allow(`\${Failures.Arn}/${failuresPrefix}*`, action),
    );
  if (place === 'mail') return [sending(settings)];
  return [allow(arnOfPlace(place, settings), ...actions)];
}

/** From this address only. In the sandbox SES asks for the right on the receiver's identity too. */
function sending({ sender, name }: Settings): Statement {
  const ses = 'arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}';
  return {
    Effect: 'Allow',
    Action: ['ses:SendEmail'],
    Resource: [{ 'Fn::Sub': `${ses}:identity/*` }, { 'Fn::Sub': `${ses}:configuration-set/${name}` }],
    Condition: { StringEquals: { 'ses:FromAddress': sender } },
  };
}

function arnOfPlace(place: Exclude<Place, 'failures' | 'mail'>, settings: Settings): Arn {
  if (place === 'bus') return arnOf('Bus');
  if (place === 'secret/search') return secretArn(settings.searchSecret);
  if (place === 'secret/cache') return secretArn(settings.cacheSecret);
  if (place.startsWith('arn:')) return place;
  const [table = '', ...index] = place.split('/');
  const below = index.length > 0 ? `/${index.join('/')}` : '';
  if (table === 'table' && settings.table !== '')
    return sub(
      `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/${settings.table}${below}`,
    );
  const id = tableIds[table as keyof typeof tableIds];
  return below === '' ? arnOf(id) : sub(`\${${id}.Arn}${below}`);
}

/** Secrets Manager puts six characters of its own behind a secret's name. */
function secretArn(name: string): Arn {
  if (name.startsWith('arn:')) return name;
  return sub(
    `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????`,
  );
}

function allow(resource: Arn, ...Action: string[]): Statement {
  const Resource = typeof resource === 'string' && resource.includes('${') ? sub(resource) : resource;
  return { Effect: 'Allow', Action, Resource };
}

function arnOf(id: string): Arn {
  return { 'Fn::GetAtt': [id, 'Arn'] };
}

function sub(text: string): Arn {
  return { 'Fn::Sub': text };
}
