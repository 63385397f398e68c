/** `sluice lint`, as it is typed; and what it says of files that it cannot judge. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { root, sluice } from '../support/processes.ts';
import { linted, lintedFile } from './linted.ts';

const template = (name: string) => `test/lint/templates/${name}`;

async function typed(...args: string[]) {
  const run = sluice(process.execPath, ['bin/sluice.js', 'lint', ...args], {}, root);
  const status = await run.ended;
  return { status, output: run.output() };
}

test('a finding is told in a few lines, with the line to write, and the status is 1', async () => {
  const { status, output } = await typed(template('bad-latest.yml'));
  expect(status).toBe(1);
  expect(
    output,
  ).toContain(`test/lint/templates/bad-latest.yml:12  starting-position (loses)  functions.index.events[0].stream.startingPosition
  What is written while Lambda begins to read is never delivered.
  When: whenever the mapping is created or changed, for up to some minutes each time.
  Write in functions.index.events[0].stream:
      startingPosition: TRIM_HORIZON
`);
  expect(output).toMatch(/1 stream mapping: 5 findings \(4 loses, 1 hurts\), 0 not judged\.\n$/);
});

test('--json is one line for each finding, of one form', async () => {
  const { status, output } = await typed('--json', template('bad-latest.yml'));
  expect(status).toBe(1);
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  expect(lines).toHaveLength(5);
  for (const line of lines) {
    const members = ['file', 'rule', 'severity', 'path', 'line', 'happens', 'when', 'write'];
    expect(Object.keys(JSON.parse(line))).toEqual(members);
  }
});

test('a good template is status 0', async () => {
  expect(await typed(template('good-sam.yml'))).toEqual({
    status: 0,
    output: '1 stream mapping: no findings, 0 not judged.\n',
  });
});

test('the README shows what it really says', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, file = '', shown] = /^\$ npx sluice lint (\S+)\n(.*?)^```$/ms.exec(readme) ?? [];
  expect((await typed(file)).output).toBe(shown);
});

describe('what cannot be judged', () => {
  const good = readFileSync(new URL('templates/good-serverless.yml', import.meta.url), 'utf8');
  test.each([
    ['a starting position', 'Position: TRIM_HORIZON', 'Position: ${self:custom.from}', 'starting-position'],
    ['attempts', 'Attempts: 10', 'Attempts: ${param:attempts, 3}', 'endless-retries'],
    ['an age', 'Seconds: 21600', 'Seconds: ${self:custom.age}', 'record-age'],
    ['a window', 'batchWindow: 1', 'batchWindow: ${self:custom.window}', 'batch-window'],
    ['a window of words', 'batchWindow: 1', 'batchWindow: short', 'batch-window'],
    ['a response', 'Type: ReportBatchItemFailures', 'Type: ${self:custom.answer}', 'no-partial-failures'],
    ['a filter', 'filterPatterns:', 'filterPatterns: ${file(filters.yml)}\n          was:', 'filter-skips'],
    ['rights', 'Action: s3:PutObject', 'Action: ${self:custom.may}', 'missing-rights'],
    ['a retention', 'Period: 1209600', 'Period: ${self:custom.keep}', 'parked-expires'],
    ['an expiry', 'ExpirationInDays: 90', 'ExpirationInDays: ${self:custom.keep}', 'parked-expires'],
    [
      'a dead-letter queue',
      'Arn: !GetAtt DeadEvents.Arn',
      'Arn: ${cf:other.DeadQueueArn}',
      'no-queue-policy',
    ],
    ['an event', '- stream:', '- stream: ${file(stream.yml)}\n      - was:', 'every-rule'],
    ['a function', 'functions:', 'functions:\n  other: ${file(other.yml)}', 'every-rule'],
    [
      'more resources',
      'resources:\n  Resources:',
      'resources:\n  Resources:\n    Other: ${file(other.yml)}',
      'every-rule',
    ],
  ])('%s that is a variable is told, and is no finding', async (_what, from, to, rule) => {
    expect(good).toContain(from);
    const { status, findings, told } = await linted(good.replace(from, () => to));
    expect({ status, findings }).toEqual({ status: 0, findings: [] });
    expect(told.join('\n')).toMatch(new RegExp(`^Not judged:\n(.*\n)*  line \\d+  ${rule}  `));
  });

  test.each([
    ['a parameter', '!Ref Failed', 'missing-rights'],
    ['what another stack exports', '!ImportValue failed-arn', 'metadata-only-destination'],
    ['a condition', "!If [Live, !GetAtt A.Arn, 'arn:aws:s3:::b']", 'metadata-only-destination'],
  ])('a destination that is %s', async (_what, destination, rule) => {
    const sam = readFileSync(new URL('templates/good-sam.yml', import.meta.url), 'utf8');
    const changed = sam.replace(
      '{ Type: S3, Destination: !GetAtt Failed.Arn }',
      () => `{ Destination: ${destination} }`,
    );
    const { findings, told } = await linted(changed.replace('  Failed:', '  Other:'));
    expect(findings).toEqual([]);
    expect(told.join('\n')).toContain(`  ${rule}  `);
  });

  test('a queue that somebody reads may be no last net', async () => {
    const { findings, told } = await linted(
      readFileSync(new URL('templates/bad-metadata-only.yml', import.meta.url), 'utf8').replace(
        'resources:\n',
        '  take:\n    handler: take.handler\n    events: [{ sqs: !GetAtt Failed.Arn }]\nresources:\n',
      ),
    );
    expect(findings.filter(({ rule }) => rule === 'metadata-only-destination')).toHaveLength(1);
    expect(told.join('\n')).toContain('within 24 h');
  });
});

describe('a file that is no template is named in one line, with status 2', () => {
  test.each([
    ['a list', '- 1\n- 2\n', /neither a serverless.yml/],
    ['nothing', '', /neither a serverless.yml/],
    ['something else', 'name: ci\non: push\n', /packaged first/],
    ['broken YAML', 'functions:\n  a: [1, 2\n', /no YAML or JSON/],
    ['broken JSON', '{"Resources": {', /no YAML or JSON/],
    ['a key twice', 'functions: {}\nfunctions: {}\n', /no YAML or JSON: Map keys must be unique/],
    ['several documents', 'functions: {}\n---\nfunctions: {}\n', /no YAML or JSON/],
    [
      'TypeScript',
      "import x from 'y';\nexport default { functions: { a: 1 } };\n",
      /no YAML or JSON|neither/,
    ],
    ['a bomb of aliases', bomb(), /too large|no YAML or JSON/],
    ['brackets without end', '['.repeat(20_000), /no YAML or JSON/],
  ])('%s', async (_what, text, why) => {
    const { status, findings, told, file } = await linted(text);
    expect({ status, findings }).toEqual({ status: 2, findings: [] });
    expect(told).toEqual([expect.stringMatching(why)]);
    expect(told[0]).toContain(`${file}: `);
  });

  test('one that is not there, or a folder', async () => {
    expect(await lintedFile('/nowhere/serverless.yml')).toMatchObject({
      status: 2,
      told: ['/nowhere/serverless.yml: There is no such file; name a serverless.yml or a packaged template.'],
    });
    expect(await lintedFile(root)).toMatchObject({ status: 2, told: [expect.stringContaining('folder')] });
  });
});

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let depth = 1; depth < 9; depth++)
    lines.push(`a${depth}: &a${depth} [${`*a${depth - 1}, `.repeat(9)}]`);
  return `functions: {}\n${lines.join('\n')}\n`;
}

describe('whatever a document holds', () => {
  const words = [
    'functions', 'events', 'stream', 'arn', 'type', 'dynamodb', 'kinesis', 'destinations', 'onFailure', 'filterPatterns',
    'provider', 'iam', 'role', 'statements', 'iamRoleStatements', 'resources', 'Resources', 'extensions', 'Type',
    'Properties', 'AWS::Lambda::EventSourceMapping', 'AWS::Serverless::Function', 'AWS::SQS::Queue', 'AWS::Events::Rule',
    'AWS::DynamoDB::GlobalTable', 'AWS::IAM::Role', 'AWS::SQS::QueuePolicy', 'Replicas', 'Events', 'EventSourceArn', 'Stream',
    'DestinationConfig', 'OnFailure', 'Destination', 'FilterCriteria', 'Filters', 'Pattern', 'Fn::GetAtt', 'Fn::Sub',
    'Fn::Join', 'Ref', 'Targets', 'DeadLetterConfig', 'RedrivePolicy', 'deadLetterTargetArn', 'Policies', 'PolicyDocument',
    'Statement', 'Effect', 'Allow', 'Action', 'Resource', '*', '__proto__', 'constructor', 'toString', '${self:custom.x}',
    'arn:aws:s3:::b', 'arn:aws:sqs:r:1:q', 'Q', 'Q.Arn', '{"dynamodb":{"NewImage":{"a":[1]}}}', '{"a":{"a":1,"a":2}}', '',
  ]; // biome-ignore format: a list of words
  const word = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...words) }, fc.string());
  const { tree } = fc.letrec((tie) => ({
    leaf: fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    tree: fc.oneof(
      { depthSize: 'medium' },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(word, tie('tree'), { maxKeys: 6 }),
    ),
  }));
  const mapping = fc.dictionary(word, tree, { maxKeys: 8 });
  const document = fc.oneof(
    tree,
    fc.record({
      functions: fc.dictionary(word, fc.record({ events: fc.array(fc.record({ stream: tree })) })),
      resources: tree,
    }),
    fc.record({
      Resources: fc.dictionary(
        fc.constantFrom('Q', 'R', 'M'),
        fc.record({
          Type: fc.constantFrom(...words.filter((one) => one.startsWith('AWS::'))),
          Properties: mapping,
        }),
      ),
    }),
  );

  async function survives(text: string) {
    const { status, findings, told } = await linted(text);
    expect([0, 1, 2]).toContain(status);
    if (status === 2)
      expect(told).toEqual([expect.stringMatching(/: (It is no YAML or JSON|It is neither|It is nested)/)]);
    expect(status === 1).toBe(findings.length > 0);
  }

  test('it is judged or refused, as YAML and as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(document, async (value) => {
        await survives(stringify(value) ?? '');
        await survives(JSON.stringify(value) ?? '');
      }),
      { numRuns: 120 },
    );
  });

  test('so is any text, and any good template with a piece cut out', async () => {
    const good = readFileSync(new URL('templates/good-cloudformation.yml', import.meta.url), 'utf8');
    const cut = fc
      .tuple(fc.nat(good.length), fc.nat(200), fc.oneof(fc.constant(''), word))
      .map(([at, length, put]) => good.slice(0, at) + put + good.slice(at + length));
    await fc.assert(fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), cut), survives), {
      numRuns: 120,
    });
  });
});
