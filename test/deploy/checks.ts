/** What must hold of every packaged template: each check names what it finds wrong, one line each. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate';
import { rights } from './declared.ts';
import {
  allows,
  type Check,
  functionsOf,
  idOf,
  type Json,
  mappingsOf,
  ofType,
  statementsOf,
  type Template,
  textOf,
} from './template.ts';

/** What the Framework itself writes, and nothing can be done about. */
const known = [/^W3005 /, /^W9002 FeedbackEventBridgeLambdaPermission1 /];

/** Its rules are read once, which takes longer than all templates together. */
let engine: InstanceType<typeof CelEngine> | undefined;

/** The schemas of CloudFormation; what is only warned of, such as a bad enum, is a fault too. */
const validator: Check = (template) => {
  engine ??= new CelEngine();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-template-'));
  const file = join(folder, 'template.json');
  writeFileSync(file, JSON.stringify(template));
  const { diagnostics }: Json = engine.validateStandard(new TemplateFile(file));
  rmSync(folder, { recursive: true });
  return diagnostics
    .filter(({ severity }: Json) => severity !== 'INFO' && severity !== 'DEBUG')
    .map(({ ruleId, entity, message }: Json) => `${ruleId} ${entity?.logicalId ?? entity ?? ''} ${message}`)
    .filter((line: string) => !known.some((pattern) => pattern.test(line)));
};

/** What every stream mapping must say: each default of these loses data, or stops everything. */
const mappings: Check = (template) =>
  mappingsOf(template).flatMap(([id, { Properties }]) => {
    const wrong = (name: string, fits: (value: Json) => boolean) =>
      fits(Properties[name]) ? [] : [`${id}: ${name} is ${JSON.stringify(Properties[name])}`];
    return [
      ...wrong('StartingPosition', (value) => value === 'TRIM_HORIZON'),
      ...wrong('BisectBatchOnFunctionError', (value) => value === true),
      ...wrong('FunctionResponseTypes', (value) => value?.[0] === 'ReportBatchItemFailures'),
      ...wrong('MaximumRetryAttempts', (value) => value >= 1 && value <= 20),
      ...wrong('MaximumRecordAgeInSeconds', (value) => value >= 60 && value <= 43_200),
      ...wrong('MaximumBatchingWindowInSeconds', (value) => value >= 0 && value <= 5),
      ...wrong('BatchSize', (value) => value >= 1 && value <= 1_000),
      ...wrong('ParallelizationFactor', (value) => value >= 1 && value <= 10),
      ...wrong('DestinationConfig', (value) => {
        const id = idOf(value?.OnFailure?.Destination);
        return template.Resources[id ?? '']?.Type === 'AWS::S3::Bucket';
      }),
      ...wrong('FilterCriteria', (value) => {
        const patterns: string[] = (value?.Filters ?? []).map(({ Pattern }: Json) => Pattern);
        return patterns.every((pattern) => !pattern.includes('_type') && pattern.length <= 4096);
      }),
    ];
  });

/** Two readers of a shard are served without throttling; a third is not. */
const readers: Check = (template) => {
  const counts = Map.groupBy(mappingsOf(template), ([, { Properties }]) => textOf(Properties.EventSourceArn));
  return [...counts].flatMap(([stream, ids]) =>
    ids.length > 2 ? [`${stream} has ${ids.length} readers`] : [],
  );
};

/** Lambda reads the stream and writes to the destination in the name of the function's role. */
const mappingRights: Check = (template) =>
  mappingsOf(template).flatMap(([id, { Properties }]) => {
    const statements = statementsOf(template, idOf(Properties.FunctionName) ?? '');
    const stream = textOf(Properties.EventSourceArn);
    const bucket = textOf(Properties.DestinationConfig?.OnFailure?.Destination);
    const objects = `${bucket.replace('}', '').replace(/^\$\{/, '${')}}/aws/lambda/*`;
    const needed = [
      ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((action) => [
        `dynamodb:${action}`,
        stream,
      ]),
      ['s3:PutObject', objects],
      ['s3:ListBucket', bucket],
    ];
    return needed
      .filter(([action = '', on = '']) => !allows(statements, action, on))
      .map(([action, on]) => `${id}: its role lacks ${action} on ${on}`);
  });

/** EventBridge sends to a queue only where the queue allows it to, for that rule. */
const queuePolicies: Check = (template) => {
  const senders = ofType(template, 'AWS::Events::Rule').flatMap(([rule, { Properties }]) =>
    (Properties.Targets ?? []).flatMap((target: Json) =>
      [target.Arn, target.DeadLetterConfig?.Arn]
        .map(idOf)
        .filter((id) => template.Resources[id ?? '']?.Type === 'AWS::SQS::Queue')
        .map((queue) => ({ rule, queue, name: Properties.Name })),
    ),
  );
  const policies = ofType(template, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => Properties);
  const allowed = ({ rule, queue, name }: (typeof senders)[number]) =>
    policies.some(({ Queues, PolicyDocument }) => {
      const attached = Queues.some((one: Json) => idOf(one) === queue);
      const statement = PolicyDocument.Statement.find((one: Json) =>
        [one.Resource].flat().some((resource) => idOf(resource) === queue),
      );
      const source = statement?.Condition?.ArnEquals?.['aws:SourceArn'];
      const forRule =
        idOf(source) === rule || (name !== undefined && textOf(source).endsWith(`:rule/${name}`));
      const sends = statement?.Effect === 'Allow' && statement.Action === 'sqs:SendMessage';
      return attached && sends && forRule && statement.Principal.Service === 'events.amazonaws.com';
    });
  return senders.filter((one) => !allowed(one)).map(({ rule, queue }) => `${rule} may not send to ${queue}`);
};

/** Every rule that feeds a queue or a report says how long it tries, and where what it gives up goes. */
const ruleTargets: Check = (template) =>
  ofType(template, 'AWS::Events::Rule').flatMap(([id, { Properties }]) =>
    Properties.ScheduleExpression !== undefined // the next minute does what this one could not
      ? []
      : Properties.Targets.filter(
          ({ RetryPolicy, DeadLetterConfig }: Json) => !RetryPolicy || !DeadLetterConfig,
        ).map(() => `${id}: a target without retry policy or dead-letter queue`),
  );

const ownRoles: Check = (template) => {
  const roles = functionsOf(template).map(([id, { Properties }]) => [id, idOf(Properties.Role)] as const);
  return [
    ...roles.flatMap(([id, role]) =>
      roles.some(([other, its]) => other !== id && its === role) ? [`${id} shares ${role}`] : [],
    ),
    ...('IamRoleLambdaExecution' in template.Resources ? ['there is a shared role'] : []),
  ];
};

/** What AWS lets nobody narrow. */
const unnamed = ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'];

const wildcards: Check = (template) =>
  functionsOf(template).flatMap(([id]) =>
    statementsOf(template, id).flatMap(({ Action, Resource }) => [
      ...Action.filter((action) => action.includes('*')).map((action) => `${id} may ${action}`),
      ...(Resource.includes('*')
        ? Action.filter((action) => !unnamed.includes(action)).map((action) => `${id} may ${action} on *`)
        : []),
    ]),
  );

const functions: Check = (template) => {
  const concurrency: Record<string, number> = { MailLambdaFunction: 1, RedriveLambdaFunction: 1 };
  const logs = ofType(template, 'AWS::Logs::LogGroup').map(([, { Properties }]) => Properties);
  return functionsOf(template).flatMap(([id, { Properties }]) => {
    const log = logs.find(({ LogGroupName }) => LogGroupName === `/aws/lambda/${Properties.FunctionName}`);
    return [
      ...(Properties.Runtime === 'nodejs24.x' ? [] : [`${id} runs on ${Properties.Runtime}`]),
      ...(Properties.Architectures?.[0] === 'arm64' ? [] : [`${id} is not of arm64`]),
      ...(Properties.ReservedConcurrentExecutions === concurrency[id] ? [] : [`${id}: reserved concurrency`]),
      ...(log?.RetentionInDays > 0 ? [] : [`${id}: its log is kept for ever`]),
    ];
  });
};

/** Names that an account or a region holds once must tell the stages apart; without a name CloudFormation does. */
const nameProperties = [
  'TableName',
  'FunctionName',
  'QueueName',
  'TopicName',
  'AlarmName',
  'ArchiveName',
  'RoleName',
  'BucketName',
  'LogGroupName',
];
const named = [
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::SES::ConfigurationSet',
  'AWS::ApiGatewayV2::Api',
];

const names: Check = (template) => {
  const first = functionsOf(template)[0]?.[1].Properties.FunctionName ?? '';
  const stack = first.slice(0, first.lastIndexOf('-'));
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const given = [
      ...nameProperties.map((name) => Properties[name]),
      ...(named.includes(Type) ? [Properties.Name] : []),
    ].filter((name) => typeof name === 'string');
    return given
      .filter((name) => !name.includes(stack) && !name.includes(stack.split('-').reverse().join('-')))
      .map((name) => `${id}: ${name} is the same in every stage`);
  });
};

/** Nothing that is stored lies open, unencrypted, or is lost with the stack where it is to be kept. */
const stores: Check = (template) => {
  const tables = ofType(template, 'AWS::DynamoDB::Table').flatMap(([id, resource]) => {
    const { Properties, DeletionPolicy, UpdateReplacePolicy } = resource;
    const kept = Properties.DeletionProtectionEnabled === true;
    const policy = kept ? 'Retain' : 'Delete';
    return [
      ...(Properties.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled ? [] : [`${id}: no PITR`]),
      ...(DeletionPolicy === policy && UpdateReplacePolicy === policy ? [] : [`${id}: ${DeletionPolicy}`]),
    ];
  });
  const buckets = ofType(template, 'AWS::S3::Bucket').flatMap(([id, { Properties }]) => {
    const access: Json = Properties.PublicAccessBlockConfiguration ?? {};
    const isClosed = [
      'BlockPublicAcls',
      'BlockPublicPolicy',
      'IgnorePublicAcls',
      'RestrictPublicBuckets',
    ].every((name) => access[name] === true);
    return [
      ...(isClosed ? [] : [`${id} is open`]),
      ...(Properties.BucketEncryption ? [] : [`${id} is not encrypted`]),
    ];
  });
  return [...tables, ...buckets];
};

/** Things of ours are named by reference: an event to a bus that is not there is accepted and lost. */
const references: Check = (template) =>
  functionsOf(template).flatMap(([id, { Properties }]) => {
    const variables = Properties.Environment.Variables;
    const byReference = [
      'SLUICE_BUS',
      'SLUICE_OUTBOX_TABLE',
      'SLUICE_DELIVERIES_TABLE',
      'SLUICE_AUDIT_TABLE',
    ];
    return byReference
      .filter((name) => !((idOf(variables[name]) ?? '') in template.Resources))
      .map((name) => `${id}: ${name} is no reference`);
  });

const checks: Record<string, Check> = {
  rights,
  validator,
  mappings,
  readers,
  mappingRights,
  queuePolicies,
  ruleTargets,
  ownRoles,
  wildcards,
  functions,
  names,
  stores,
  references,
};

export function findings(template: Template): string[] {
  return Object.entries(checks).flatMap(([name, check]) => check(template).map((line) => `${name}: ${line}`));
}
