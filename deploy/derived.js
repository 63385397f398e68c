// What of the stack follows from src/app.ts and deploy/settings.yml. osls runs on Node 24, which reads TypeScript.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { apiRights, app } from '../src/app.ts';
import { streamFilter } from '../src/pipeline/filter.ts';
import { alarmResources } from '../src/stack/alarms.ts';
import { functionNames, rightsOf, sinksOf } from '../src/stack/rights.ts';
import { inSubnets, roleResources } from '../src/stack/roles.ts';
import { checkNames, checkSettings, signingOf, switchedOn } from '../src/stack/settings.ts';
import { summaryLines, summaryOf } from '../src/stack/summary.ts';
import * as stack from '../src/stack/tables.ts';
import { retentionDays } from '../src/table/retention.ts';

const settingNames = [
  'region',
  'sender',
  'mailPerSecond',
  'alarmEmail',
  'table',
  'stream',
  'searchEndpoint',
  'searchSecret',
  'searchArn',
  'cacheEndpoint',
  'cacheSecret',
  'subnets',
  'securityGroup',
  'kmsKey',
  'capacityMode',
  'capacityUnits',
  'keepData',
];

const settingsFile = new URL('./settings.yml', import.meta.url);

/** Of all stages. */
const namesIn = (file) =>
  Object.values(parse(readFileSync(file, 'utf8'))).flatMap((stage) => Object.keys(stage ?? {}));

/** Whatever a setting is written as, it is read as text: from the command line it is nothing else. */
async function settingsFrom(parts) {
  try {
    return await chosen(parts);
  } catch (error) {
    // The Framework prints where an error came from; what is wrong here is what was chosen.
    error.stack = error.message;
    throw error;
  }
}

async function chosen({ resolveVariable, options }) {
  const namesGiven = (options.param ?? []).map((text) => text.split('=')[0]);
  checkNames([...namesIn(settingsFile), ...namesGiven], settingNames);
  const named = settingNames.map(async (name) => [name, String(await resolveVariable(`param:${name}`))]);
  const settings = Object.fromEntries(await Promise.all(named));
  return checkSettings({ ...settings, name: await resolveVariable('self:custom.name') });
}

const from = (derive) => async (parts) => derive(await settingsFrom(parts));

const none = { Ref: 'AWS::NoValue' };

export const tables = from((settings) => stack.tableResources(app.table, settings));
export const tableName = from(({ table }) => (table === '' ? { Ref: 'Table' } : table));
export const stream = from(({ stream }) =>
  stream === '' ? { 'Fn::GetAtt': ['Table', 'StreamArn'] } : stream,
);
export const searchSigning = from(signingOf);
// The Framework refuses a list without patterns, and leaves out a member that is null.
const patterns = streamFilter(app);
export const filter = patterns.length === 0 ? null : patterns;
export const deletionPolicy = from(stack.deletionPolicy);
export const failedBatchDays = retentionDays.failedBatches;
export const queueKey = from(({ kmsKey }) => (kmsKey === '' ? none : kmsKey));

export const bucketEncryption = from(({ kmsKey }) => ({
  ServerSideEncryptionConfiguration: [
    kmsKey === ''
      ? { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }
      : {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKey },
        },
  ],
}));

export const roles = from((settings) => {
  const on = switchedOn(settings);
  const rights = functionNames.map((name) => [name, rightsOf(name, { app, apiRights, on })]);
  return roleResources(Object.fromEntries(rights), settings);
});

export const alarms = from((settings) => {
  const on = switchedOn(settings);
  const names = (reader) => sinksOf(app, reader, on).map(({ name }) => name);
  return alarmResources({ project: names('project'), notify: names('notify') }, settings);
});

/** What the Framework cannot say: the mappings' destination, and which functions go into subnets, if there are any. */
export const extensions = from(({ table, subnets, securityGroup }) => {
  const plain = table.replace(/[^0-9A-Za-z]/g, '');
  const tableId = table === '' ? 'Table' : `${plain[0].toUpperCase()}${plain.slice(1)}`;
  const destination = { OnFailure: { Destination: { 'Fn::GetAtt': ['Failures', 'Arn'] } } };
  const mappings = [`Project…${tableId}`, `Notify…${tableId}`, 'Mail…Outbox'];
  const network = { SubnetIds: subnets.split(','), SecurityGroupIds: [securityGroup] };
  return Object.fromEntries([
    ...mappings.map((one) => [
      one.replace('…', 'EventSourceMappingDynamodb'),
      { Properties: { DestinationConfig: destination } },
    ]),
    ...(subnets === '' ? [] : inSubnets).map((name) => [
      `${name[0].toUpperCase()}${name.slice(1)}LambdaFunction`,
      { Properties: { VpcConfig: network } },
    ]),
  ]);
});

export const summary = from((settings) => summaryLines(summaryOf(settings)));

export const outputs = async (parts) => {
  const { on, off, idle } = summaryOf(await settingsFrom(parts));
  const commandLine = variables(await parts.resolveVariable('self:provider.environment')).join(' ');
  const output = (Description, Value) => ({ Description, Value });
  return {
    On: output('What is on', on.join('; ')),
    ...(off.length > 0 && { Off: output('What is off, and how it is turned on', off.join('; ')) }),
    IdleCosts: output('What costs money when idle', idle.join('; ')),
    CommandLine: output('Put before "npx sluice … --aws"', { 'Fn::Sub': commandLine }),
  };
};

const onlyOnLambda = ['SLUICE_METRICS_NAMESPACE'];

/**
 * What the commands must know of this stack: what its functions know. One that lacked a variable would do its work
 * elsewhere, or under another name, and say that it was done.
 */
function variables(environment) {
  const own = Object.entries(environment).filter(
    ([name, value]) => name.startsWith('SLUICE_') && !onlyOnLambda.includes(name) && value !== '',
  );
  return ['AWS_REGION=${AWS::Region}', ...own.map(([name, value]) => `${name}=${substitute(value)}`)];
}

/** As `Fn::Sub` takes it, and a shell. */
function substitute(value) {
  if (typeof value === 'object') return value['Fn::Sub'] ?? `\${${value.Ref}}`;
  const text = String(value);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
