/** Each function's rights are those that its code declares, and what Lambda does in its name: no more, no less. */
import { apiRights, app } from '../../src/app.ts';
import { type FunctionName, functionNames, rightsOf } from '../../src/stack/rights.ts';
import { type Check, idOf, type Json, mappingsOf, statementsOf, type Template } from './template.ts';

/** What is behind an ARN, in the words of `src/rights.ts`. */
const places: [RegExp, string][] = [
  [/^\$\{Table\.Arn\}|^.*:table\/shop-table(?!.*stream)/, 'table'],
  [/^\$\{Deliveries\.Arn\}/, 'deliveries'],
  [/^\$\{Outbox\.Arn\}/, 'outbox'],
  [/^\$\{Audit\.Arn\}/, 'audit'],
  [/^\$\{Bus\.Arn\}$/, 'bus'],
  [/^\$\{Failures\.Arn\}(\/aws\/lambda\/\*)?$/, 'failures'],
  [/^.*:secret:shop\/search-\?{6}$/, 'secret/search'],
  [/^.*:secret:shop\/cache-AbCdEf$/, 'secret/cache'],
  [/^.*:(identity\/\*|configuration-set\/sluice-\w+)$/, 'mail'],
  [/^\$\{FeedbackDeadLetters\.Arn\}$/, 'dead letters'],
  [/^.*:log-group:\/aws\/lambda\/sluice-\w+-(\w+):\*$/, 'log of $1'],
  [/^.*\.StreamArn\}$|^.*\/stream\/.*$/, 'stream'],
  [/^.*:domain\/shop\/\*$/, 'search'],
  [/^.*:key\/.*$/, 'key'],
  [/^.*:ec2:.*:\*\/\*$/, 'network'],
];

export const rights: Check = (template) =>
  functionNames.flatMap((name) => {
    const given = new Set(
      statementsOf(template, idOfFunction(name)).flatMap(({ Action, Resource }) =>
        Action.flatMap((action) => Resource.map((resource) => `${action} on ${placeOf(resource)}`)),
      ),
    );
    const needed = new Set([...declaredBy(template, name), ...doneByLambda(template, name)]);
    return [
      ...[...given.difference(needed)].map((right) => `${name}: ${right} is called by nothing`),
      ...[...needed.difference(given)].map((right) => `${name}: ${right} is missing`),
    ];
  });

const idOfFunction = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`;

function placeOf(resource: string): string {
  const [pattern, place] = places.find(([one]) => one.test(resource)) ?? [];
  return pattern === undefined || place === undefined ? resource : resource.replace(pattern, place);
}

function declaredBy(template: Template, name: FunctionName): string[] {
  const variables: Json = template.Resources[idOfFunction(name)]?.Properties.Environment.Variables;
  const on = {
    search: variables.SLUICE_SEARCH_ENDPOINT !== '',
    cache: variables.SLUICE_CACHE_ENDPOINT !== '',
    searchSecret: variables.SLUICE_SEARCH_SECRET !== '',
    cacheSecret: variables.SLUICE_CACHE_SECRET !== '',
  };
  return rightsOf(name, { app, apiRights, on }).map(({ action, on: place }) => `${action} on ${place}`);
}

function doneByLambda(template: Template, name: FunctionName): string[] {
  const { Properties } = template.Resources[idOfFunction(name)] as Json;
  const isReader = mappingsOf(template).some(
    ([, mapping]) => idOf(mapping.Properties.FunctionName) === idOfFunction(name),
  );
  const stream = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
  const network = ['Create', 'Delete'].map((verb) => `ec2:${verb}NetworkInterface on network`);
  const addresses = ['Assign', 'Unassign'].map((verb) => `ec2:${verb}PrivateIpAddresses on network`);
  const looks = ['ec2:DescribeNetworkInterfaces on *', 'ec2:DescribeSubnets on *'];
  const hasKey = template.Resources.Audit?.Properties.SSESpecification !== undefined;
  const isSigned = Properties.Environment.Variables.SLUICE_SEARCH_SIGNING === 'es';
  return [
    `logs:CreateLogStream on log of ${name}`,
    `logs:PutLogEvents on log of ${name}`,
    ...(isReader ? stream.map((action) => `dynamodb:${action} on stream`) : []),
    ...(isReader ? ['s3:PutObject on failures', 's3:ListBucket on failures'] : []),
    ...(name === 'feedback' ? ['sqs:SendMessage on dead letters'] : []),
    ...(Properties.VpcConfig === undefined ? [] : [...network, ...addresses, ...looks]),
    ...(isSigned && ['project', 'redrive', 'api'].includes(name) ? ['es:ESHttpPost on search'] : []),
    ...(hasKey ? ['kms:Decrypt on key', 'kms:GenerateDataKey on key'] : []),
  ];
}
