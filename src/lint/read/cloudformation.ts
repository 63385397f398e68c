/** The mappings of a CloudFormation or SAM template, ours or anybody's. */

import { identityOf, serviceOf } from '../arn.ts';
import type { Node } from '../document.ts';
import type { Mapping, Resource, Role, Sender } from '../model.ts';
import { items, member, members, textOf } from '../node.ts';
import { settingsIn } from './resources.ts';
import { referred, roleIn } from './roles.ts';

type Resources = ReadonlyMap<string, Resource>;

/** `roleOf` knows the functions that the document does not declare as resources. */
export function declaredMappings(
  resources: Resources,
  roleOf: (functionId: string) => Role | undefined = () => undefined,
): Mapping[] {
  return [...resources.values()].flatMap(({ type, node, properties }): Mapping[] => {
    if (type !== 'AWS::Lambda::EventSourceMapping') return [];
    const settings = settingsIn(properties);
    const source = sourceOf(settings.stream, resources);
    if (source === undefined || (source === 'unknown' && isUnclear(properties))) return [];
    const target = functionOf(member(properties, 'FunctionName'), resources);
    const role =
      roleOf(target) ?? roleIn(resources, referred(member(resources.get(target)?.properties, 'Role')));
    return [
      {
        form: 'cloudformation',
        at: properties ?? node,
        source,
        settings,
        role,
        granted: false,
        extension: undefined,
      },
    ];
  });
}

/** A stream has a starting position, and so have topics and document stores, which name what they are. */
function isUnclear(properties: Node | undefined): boolean {
  const others = ['Topics', 'DocumentDBEventSourceConfig'].some(
    (name) => member(properties, name) !== undefined,
  );
  return others || member(properties, 'StartingPosition') === undefined;
}

/** Mappings of which nothing says what they read. */
export function unclearMappings(resources: Resources): Node[] {
  return [...resources.values()].flatMap(({ type, properties }) => {
    const { stream, startingPosition } = settingsIn(properties);
    const unclear =
      stream !== undefined && startingPosition === undefined && sourceOf(stream, resources) === 'unknown';
    return type === 'AWS::Lambda::EventSourceMapping' && unclear ? [stream] : [];
  });
}

/** What a mapping reads; undefined where it is no stream. */
export function sourceOf(stream: Node | undefined, resources: Resources): Mapping['source'] | undefined {
  const service = serviceOf(identityOf(textOf(stream), resources));
  if (service === 'dynamodb' || service === 'kinesis') return service;
  const text = textOf(stream);
  if (/stream_?-?arn/i.test(text)) return 'unknown';
  return service === undefined && text.includes('${') && !/queue|topic|broker|cluster/i.test(text)
    ? 'unknown'
    : undefined;
}

/** By way of an alias or a version, too. */
function functionOf(name: Node | undefined, resources: Resources): string {
  const resource = resources.get(referred(name));
  if (resource?.type === 'AWS::Lambda::Alias' || resource?.type === 'AWS::Lambda::Version')
    return referred(member(resource.properties, 'FunctionName'));
  return referred(name) || functionNamed(textOf(name), resources);
}

function functionNamed(name: string, resources: Resources): string {
  const found = [...resources.values()].find(
    ({ type, properties }) =>
      type === 'AWS::Lambda::Function' && textOf(member(properties, 'FunctionName')) === name,
  );
  return found?.id ?? '';
}

const samSources: Readonly<Record<string, 'dynamodb' | 'kinesis'>> = {
  DynamoDB: 'dynamodb',
  Kinesis: 'kinesis',
};

type SamEvent = { id: string; properties: Node | undefined; node: Node; type: string };

function samEvents(resources: Resources): SamEvent[] {
  return [...resources.values()]
    .filter(({ type }) => type === 'AWS::Serverless::Function')
    .flatMap(({ id, properties }) =>
      members(member(properties, 'Events')).map(([, node]) => ({
        id,
        properties,
        node,
        type: textOf(member(node, 'Type')),
      })),
    );
}

export function samMappings(resources: Resources): Mapping[] {
  return samEvents(resources).flatMap(({ id, properties, node, type }): Mapping[] => {
    const source = Object.hasOwn(samSources, type) ? samSources[type] : undefined;
    if (source === undefined) return [];
    const settings = settingsIn(member(node, 'Properties'));
    const own = member(properties, 'Role');
    // SAM gives its own role the right to send, if it is told what the destination is.
    const typed = member(node, 'Properties', 'DestinationConfig', 'OnFailure', 'Type') !== undefined;
    const role = own === undefined ? samRole(id, properties) : roleIn(resources, referred(own));
    const granted = own === undefined && typed;
    return [
      {
        form: 'cloudformation',
        at: member(node, 'Properties') ?? node,
        source,
        settings,
        role,
        granted,
        extension: undefined,
      },
    ];
  });
}

function samRole(id: string, properties: Node | undefined): Role {
  const policies = items(member(properties, 'Policies'));
  const statements = (policy: Node) =>
    items(member(policy, 'Statement') ?? member(policy, 'PolicyDocument', 'Statement'));
  return {
    statements: policies.flatMap(statements),
    elsewhere: policies.filter((policy) => statements(policy).length === 0),
    at: `Resources.${id}.Properties.Policies`,
    asPolicy: (added) => [{ Statement: added }],
    shared: false,
  };
}

/** Rules that SAM makes of a function's events. */
export function samSenders(resources: Resources): Sender[] {
  return samEvents(resources).flatMap(({ type, node }) => {
    const queue = member(node, 'Properties', 'DeadLetterConfig', 'Arn');
    return ['EventBridgeRule', 'CloudWatchEvent', 'Schedule'].includes(type) && queue !== undefined
      ? [{ service: 'events.amazonaws.com' as const, queue }]
      : [];
  });
}

/** Queues and topics that something takes from. */
export function consumedIn(resources: Resources): Node[] {
  const mapped = [...resources.values()]
    .filter(({ type }) => type === 'AWS::Lambda::EventSourceMapping' || type === 'AWS::SNS::Subscription')
    .flatMap(({ properties }) => [member(properties, 'EventSourceArn'), member(properties, 'TopicArn')]);
  const sam = samEvents(resources).flatMap(({ node }) => [
    member(node, 'Properties', 'Queue'),
    member(node, 'Properties', 'Topic'),
  ]);
  return [...mapped, ...sam].filter((node) => node !== undefined);
}
