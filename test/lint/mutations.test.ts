/** One change to a good template is one finding: of that rule, at that line, and none besides. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { linted, places } from './linted.ts';

const good = (name: string) => readFileSync(new URL(`templates/good-${name}.yml`, import.meta.url), 'utf8');
const templates = {
  serverless: good('serverless'),
  cloudformation: good('cloudformation'),
  sam: good('sam'),
};

/** Of which template, what is changed into what, which rule finds it, and the beginning of the line it names. */
type Mutation = [
  template: keyof typeof templates,
  from: string,
  to: string,
  rule: string | undefined,
  line?: string,
];

const queue = 'Type: AWS::SQS::Queue\n      Properties:\n        MessageRetentionPeriod: 1209600';

const mutations: Mutation[] = [
  ['serverless', 'Position: TRIM_HORIZON', 'Position: LATEST', 'starting-position', 'startingPosition'],
  ['serverless', '          startingPosition: TRIM_HORIZON\n', '', undefined],
  ['serverless', 'Attempts: 10', 'Attempts: -1', 'endless-retries', 'maximumRetryAttempts: -1'],
  ['serverless', '          maximumRetryAttempts: 10\n', '', 'endless-retries', '- stream:'],
  ['serverless', 'Attempts: 10', 'Attempts: 0', undefined],
  ['serverless', 'Seconds: 21600', 'Seconds: 86400', 'record-age', 'maximumRecordAgeInSeconds: 86400'],
  ['serverless', 'Seconds: 21600', 'Seconds: 86399', undefined],
  ['serverless', '          maximumRecordAgeInSeconds: 21600\n', '', 'record-age', '- stream:'],
  ['serverless', 'batchWindow: 1', 'batchWindow: 6', 'batch-window', 'batchWindow: 6'],
  ['serverless', 'batchWindow: 1', 'batchWindow: 5', undefined],
  [
    'serverless',
    'bisectBatchOnFunctionError: true\n          functionResponseType: ReportBatchItemFailures\n',
    'bisectBatchOnFunctionError: true\n',
    'no-partial-failures',
    '- stream:',
  ],
  ['serverless', 'AnnounceEventSource', 'OtherEventSource', 'no-destination', '- stream:'],
  [
    'serverless',
    'Properties: *failed',
    "Properties: { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sns:eu-west-1:1:alarms' } } }",
    'metadata-only-destination missing-rights',
    'Properties: {',
  ],
  ['serverless', '${FailedBatches.Arn}/*', '${FailedBatches.Arn}', 'missing-rights', 'DestinationConfig'],
  ['serverless', 's3:List*', 's3:Get*', 'missing-rights', 'DestinationConfig'],
  [
    'serverless',
    "'arn:aws:s3:::lamps-failed', ",
    "'arn:aws:s3:::lamps', ",
    'missing-rights',
    'DestinationConfig',
  ],
  ['serverless', 'prefix: ', 'numeric: ', 'filter-skips', '- dynamodb: {'],
  ['serverless', 'S: [{ prefix', 'kind: [{ prefix', 'filter-skips', '- dynamodb: {'],
  ['serverless', 'dynamodb: { Keys', 'dynamodb: { NewImage', 'filter-skips', '- dynamodb: {'],
  ['serverless', 'Service: events.', 'Service: sns.', 'no-queue-policy', 'deadLetterQueueArn'],
  [
    'serverless',
    'Queues: [!Ref DeadEvents]',
    'Queues: [!Ref Other]',
    'no-queue-policy',
    'deadLetterQueueArn',
  ],
  ['serverless', 'ExpirationInDays: 90', 'ExpirationInDays: 13', 'parked-expires', 'ExpirationInDays'],
  ['serverless', 'Period: 1209600', 'Period: 1209599', 'parked-expires', 'MessageRetentionPeriod'],
  ['serverless', queue, 'Type: AWS::SQS::Queue', 'parked-expires', 'DeadEvents:'],
  [
    'serverless',
    'resources:\n',
    `  more:
    handler: src/more.handler
    iamRoleStatements: [{ Effect: Allow, Action: ['*'], Resource: ['*'] }]
    events:
      - stream: # the third
          arn: !GetAtt Lamps.StreamArn
          type: dynamodb
          maximumRetryAttempts: 1
          maximumRecordAgeInSeconds: 60
          functionResponseType: ReportBatchItemFailures
          destinations: { onFailure: 'arn:aws:s3:::lamps-failed' }
resources:
`,
    'too-many-readers',
    '- stream: # the third',
  ],
  ['cloudformation', 'StartingPosition: TRIM_HORIZON', 'BatchSize: 1', 'starting-position', 'Properties:'],
  [
    'cloudformation',
    'Position: TRIM_HORIZON',
    'Position: AT_TIMESTAMP',
    'starting-position',
    'StartingPosition',
  ],
  ['cloudformation', "Attempts: '10'", "Attempts: '-1'", 'endless-retries', 'MaximumRetryAttempts'],
  ['cloudformation', 'Seconds: 172800', 'Seconds: 259200', 'record-age', 'MaximumRecordAgeInSeconds: 259200'],
  ['cloudformation', 'RetentionPeriodHours: 72', 'RetentionPeriodHours: 168', undefined],
  ['cloudformation', 'InSeconds: 5', 'InSeconds: 300', 'batch-window', 'MaximumBatchingWindowInSeconds'],
  ['cloudformation', '{ Destination: !GetAtt Failed.Arn }', "{ Destination: '' }", 'no-destination'],
  ['cloudformation', 's3:ListBucket', 's3:ListAllMyBuckets', 'missing-rights missing-rights'],
  ['cloudformation', 'Roles: [!Ref ProjectRole]', 'Users: [ada]', 'missing-rights missing-rights'],
  [
    'cloudformation',
    '["INSERT","MODIFY"]',
    '["INSERT","CHANGE"]',
    'filter-skips',
    '- Pattern: \'{"eventName"',
  ],
  ['cloudformation', '"MODIFY"]}', '"MODIFY"],"eventName":[]}', 'filter-skips', '- Pattern: \'{"eventName"'],
  [
    'cloudformation',
    '"userIdentity":{"type":["Service"]',
    '"userIdentity":{"type":"Service"',
    'filter-skips',
  ],
  ['cloudformation', ',{"exists":false}', '', 'filter-skips', '- Pattern: \'{"dynamodb"'],
  ['cloudformation', '[!Ref Orders, ', '[', 'no-queue-policy', 'Arn: !GetAtt Orders.Arn'],
  [
    'cloudformation',
    'ExpirationInDays: 14',
    'ExpirationInDays: 1',
    'parked-expires',
    '- { Status: Enabled, Exp',
  ],
  [
    'cloudformation',
    'RedrivePolicy: {',
    'MessageRetentionPeriod: 1209600\n      RedrivePolicy: {',
    'parked-expires',
    'MessageRetentionPeriod: 1209600',
  ],
  [
    'cloudformation',
    'ClicksToProject:\n    Type: AWS::Lambda::EventSourceMapping',
    'Out: { Type: AWS::Pipes::Pipe, Properties: { Source: !GetAtt Lamps.StreamArn } }\n  ClicksToProject:\n    Type: AWS::Lambda::EventSourceMapping',
    'too-many-readers',
    'Out:',
  ],
  ['sam', 'Position: TRIM_HORIZON', 'Position: LATEST', 'starting-position', 'StartingPosition'],
  ['sam', 'Type: S3, ', '', 'missing-rights', 'OnFailure'],
];

test.each(mutations)('%s: %j → %j', async (template, from, to, rule, line) => {
  const text = templates[template];
  expect(text.split(from).length, 'what is changed must be there').toBeGreaterThan(1);
  const changed = text.replace(from, () => to);
  const { findings, status } = await linted(changed);
  expect(findings.map((finding) => finding.rule).join(' ')).toBe(rule ?? '');
  expect(status).toBe(rule === undefined ? 0 : 1);
  const [place] = places(findings);
  if (line !== undefined) expect(changed.split('\n')[Number.parseInt(place ?? '', 10) - 1]).toContain(line);
});
