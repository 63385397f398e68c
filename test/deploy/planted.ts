/** Faults, and what finds each. All of them pass the Framework, and most would pass AWS too. */
import type { Json } from './template.ts';

type Fault = { plant(resources: Json): void; found: RegExp };

const mapping = 'ProjectEventSourceMappingDynamodbTable';

/** One setting of a mapping is another. */
const setting = (name: string, value: Json): Fault => ({
  plant: (resources) => {
    resources[mapping].Properties[name] = value;
  },
  found: new RegExp(`^mappings: ${mapping}: ${name} is `),
});

const statements = (resources: Json, role: string): Json[] =>
  resources[role].Properties.Policies[0].PolicyDocument.Statement;

/** A role that lost an action, wherever it had it. */
const lost = (role: string, action: string): Fault => ({
  plant: (resources) => {
    for (const one of statements(resources, role))
      one.Action = one.Action.filter((other: string) => other !== action);
  },
  found: new RegExp(`^mappingRights: .*lacks ${action}`),
});

const property = (id: string, name: string, value: Json, found: RegExp): Fault => ({
  plant: (resources) => {
    resources[id].Properties[name] = value;
  },
  found,
});

export const faults: Record<string, Fault> = {
  'a mapping from LATEST': setting('StartingPosition', 'LATEST'),
  'a mapping without partial failures': setting('FunctionResponseTypes', undefined),
  'a mapping that does not halve': setting('BisectBatchOnFunctionError', false),
  'endless retries': setting('MaximumRetryAttempts', -1),
  'no limit of retries': setting('MaximumRetryAttempts', undefined),
  'records as old as the stream': setting('MaximumRecordAgeInSeconds', 86_400),
  'records of any age': setting('MaximumRecordAgeInSeconds', -1),
  'a batch window of a minute': setting('MaximumBatchingWindowInSeconds', 60),
  'eleven batches at once': setting('ParallelizationFactor', 11),
  'no on-failure destination': setting('DestinationConfig', undefined),
  'a destination that gets no records': setting('DestinationConfig', {
    OnFailure: { Destination: { 'Fn::GetAtt': ['SubscriberDeadLetters', 'Arn'] } },
  }),
  'a filter by type': setting('FilterCriteria', {
    Filters: [{ Pattern: '{"dynamodb":{"NewImage":{"_type":{"S":["Order"]}}}}' }],
  }),
  'a third reader': {
    plant: (resources) => {
      resources.Third = structuredClone(resources[mapping]);
    },
    found: /^readers: .* 3 readers/,
  },
  'a reader that may not read the stream': lost('ProjectRole', 'dynamodb:GetRecords'),
  'a reader that may not write to the destination': lost('NotifyRole', 's3:PutObject'),
  'a reader that may not list the destination': lost('MailRole', 's3:ListBucket'),
  'a queue that lets nobody in': {
    plant: (resources) => {
      delete resources.SubscriberPolicy;
    },
    found: /^queuePolicies: SubscriberRule may not send to Subscriber$/,
  },
  'a dead-letter queue without a policy': {
    plant: (resources) => {
      resources.SubscriberPolicy.Properties.Queues.pop();
    },
    found: /^queuePolicies: SubscriberRule may not send to SubscriberDeadLetters$/,
  },
  'a policy for another rule': property(
    'FeedbackDeadLettersPolicy',
    'PolicyDocument',
    { Statement: [] },
    /^queuePolicies: .* may not send to FeedbackDeadLetters$/,
  ),
  'a rule that drops what it cannot deliver': {
    plant: (resources) => {
      delete resources.SubscriberRule.Properties.Targets[0].DeadLetterConfig;
    },
    found: /^ruleTargets: SubscriberRule/,
  },
  'two functions with one role': property(
    'NotifyLambdaFunction',
    'Role',
    { 'Fn::GetAtt': ['ProjectRole', 'Arn'] },
    /^ownRoles: NotifyLambdaFunction shares ProjectRole$/,
  ),
  'a right on everything': {
    plant: (resources) => {
      statements(resources, 'ApiRole')[0].Resource = '*';
    },
    found: /^wildcards: ApiLambdaFunction may dynamodb:\w+ on \*/,
  },
  'every action of a service': {
    plant: (resources) => {
      statements(resources, 'ApiRole')[0].Action = ['dynamodb:*'];
    },
    found: /^wildcards: ApiLambdaFunction may dynamodb:\*/,
  },
  'an action that there is not': {
    plant: (resources) => {
      statements(resources, 'ApiRole')[0].Action = ['dynamodb:GetItems'];
    },
    found: /^rights: api: dynamodb:GetItems on table is called by nothing$/,
  },
  'a right that no code needs': {
    plant: (resources) => {
      statements(resources, 'NotifyRole')[0].Action.push('dynamodb:DeleteItem');
    },
    found: /^rights: notify: dynamodb:DeleteItem on deliveries is called by nothing$/,
  },
  'a right of another function': {
    plant: (resources) => {
      statements(resources, 'ApiRole').push(...statements(resources, 'MailRole'));
    },
    found: /^rights: api: ses:SendEmail on mail is called by nothing$/,
  },
  'a right that is missing': {
    plant: (resources) => {
      for (const one of statements(resources, 'RedriveRole'))
        one.Action = one.Action.filter((action: string) => action !== 's3:DeleteObject');
    },
    found: /^rights: redrive: s3:DeleteObject on failures is missing$/,
  },
  'two senders at once': property(
    'MailLambdaFunction',
    'ReservedConcurrentExecutions',
    2,
    /^functions: MailLambdaFunction/,
  ),
  'another runtime': property('ApiLambdaFunction', 'Runtime', 'nodejs20.x', /^functions: ApiLambdaFunction/),
  'a log that is kept for ever': property(
    'ProjectLogGroup',
    'RetentionInDays',
    undefined,
    /^functions: ProjectLambdaFunction/,
  ),
  'a name that every stage has': property('Bus', 'Name', 'sluice-bus', /^names: Bus/),
  'a table without point-in-time recovery': property(
    'Audit',
    'PointInTimeRecoverySpecification',
    undefined,
    /^stores: Audit: no PITR/,
  ),
  'a table that goes with the stack': {
    plant: (resources) => {
      resources.Audit.DeletionPolicy = 'Delete';
    },
    found: /^stores: Audit: Delete/,
  },
  'an open bucket': property(
    'Failures',
    'PublicAccessBlockConfiguration',
    undefined,
    /^stores: Failures is open/,
  ),
  'a bucket in the clear': property(
    'Failures',
    'BucketEncryption',
    undefined,
    /^stores: Failures is not enc/,
  ),
  'a bus by its name': {
    plant: (resources) => {
      resources.NotifyLambdaFunction.Properties.Environment.Variables.SLUICE_BUS = 'sluice-prod';
    },
    found: /^references: NotifyLambdaFunction: SLUICE_BUS/,
  },
  'a stream of new images only': {
    plant: (resources) => {
      resources.Table.Properties.StreamSpecification.StreamViewType = 'NEW_IMAGES';
    },
    found: /^validator: /,
  },
  'a misspelt billing mode': property('Audit', 'BillingMode', 'PAY_PER_REQUESTS', /^validator: .*Audit/),
  'an index key without an attribute': {
    plant: (resources) => {
      resources.Outbox.Properties.AttributeDefinitions.pop();
    },
    found: /^validator: .*Outbox/,
  },
  'a property that there is not': property('Subscriber', 'Visibility', 30, /^validator: .*Subscriber/),
};
