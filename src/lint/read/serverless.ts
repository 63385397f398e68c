/** The mappings of a serverless.yml: Serverless Framework 3 and 4, osls. */
import { identityOf, serviceOf } from '../arn.ts';
import type { Node } from '../document.ts';
import type { Mapping, Resource, Sender, Settings } from '../model.ts';
import { isOpen, items, member, textOf, within } from '../node.ts';
import { sourceOf } from './cloudformation.ts';
import { eventsIn, normalized } from './functions.ts';
import { settingsIn } from './resources.ts';
import { roleOfFunction } from './serverlessRoles.ts';

type Resources = ReadonlyMap<string, Resource>;

export function streamMappings(root: Node, resources: Resources): Mapping[] {
  return eventsIn(root, 'stream').flatMap(({ name, event }): Mapping[] => {
    if (typeof event.content === 'string' && isOpen(event.content)) return [];
    const written = writtenSettings(event);
    const type = textOf(member(event, 'type'));
    const source =
      type === 'dynamodb' || type === 'kinesis' ? type : (sourceOf(written.stream, resources) ?? 'unknown');
    const extension = extensionOf(name, source, written.stream);
    const settings = laid(written, settingsIn(resources.get(extension ?? '')?.properties));
    const role = roleOfFunction(root, name, resources);
    // Only to the destination that the event itself names, and only in the role that all functions share.
    const granted =
      role?.shared === true &&
      written.destination === settings.destination &&
      isQueueOrTopic(settings, resources);
    return [
      {
        form: 'serverless',
        at: event,
        source,
        settings,
        role,
        granted,
        extension,
      },
    ];
  });
}

function writtenSettings(event: Node): Settings {
  const failure = within(event, 'destinations', 'onFailure');
  return {
    stream: event.content instanceof Map && member(event, 'arn') !== undefined ? member(event, 'arn') : event,
    enabled: member(event, 'enabled'),
    startingPosition: member(event, 'startingPosition'),
    batchWindow: member(event, 'batchWindow'),
    retries: member(event, 'maximumRetryAttempts'),
    recordAge: member(event, 'maximumRecordAgeInSeconds'),
    responseTypes: member(event, 'functionResponseType'),
    destination: member(failure, 'arn') ?? failure,
    destinationType: member(failure, 'type'),
    filters: filtersOf(member(event, 'filterPatterns')),
  };
}

function filtersOf(patterns: Node | undefined): readonly Node[] | undefined {
  return patterns === undefined ? undefined : items(patterns);
}

/** What stands in the template goes over what stands at the event. */
function laid(written: Settings, over: Settings): Settings {
  const known = Object.fromEntries(Object.entries(over).filter(([, node]) => node !== undefined));
  // The type belongs to the destination beside it.
  return over.destination === undefined
    ? { ...written, ...known }
    : { ...written, destinationType: undefined, ...known };
}

/** The Framework gives any destination that is no topic the right of a queue. */
function isQueueOrTopic({ destination, destinationType }: Settings, resources: Resources): boolean {
  const service = serviceOf(identityOf(textOf(destination), resources)) ?? textOf(destinationType);
  return service === 'sqs' || service === 'sns';
}

/** The name that the Framework gives the mapping, where the stream's own name is known. */
function extensionOf(name: string, source: string, stream: Node | undefined): string | undefined {
  if (source === 'unknown') return undefined;
  const attribute = member(stream, 'Fn::GetAtt');
  const first = Array.isArray(attribute?.content) ? attribute.content[0] : undefined;
  const text =
    textOf(first) ||
    textOf(attribute).split('.')[0] ||
    textOf(member(stream, 'Ref')) ||
    textOf(member(stream, 'Fn::ImportValue')) ||
    textOf(stream).split('/')[1];
  if (text === undefined || text === '' || text.includes('$')) return undefined;
  return `${normalized(name)}EventSourceMapping${normalized(source)}${normalized(text.replaceAll(/[^0-9A-Za-z]/g, ''))}`;
}

export function eventBridgeSenders(root: Node): Sender[] {
  return eventsIn(root, 'eventBridge').flatMap(({ event }) => {
    const queue = member(event, 'deadLetterQueueArn');
    return queue === undefined ? [] : [{ service: 'events.amazonaws.com' as const, queue }];
  });
}
