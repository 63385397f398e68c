/** How many read one table's stream. */
import { identityOf, resourceOf } from '../arn.ts';
import type { Node } from '../document.ts';
import type { Model } from '../model.ts';
import { member, textOf, wordIn } from '../node.ts';
import { found, type Lines, lines, type Outcome, setting, unjudged } from '../outcome.ts';

type Reader = { at: Node; stream: string; reads: 'yes' | 'maybe'; write: readonly Lines[] };

export function tooManyReaders(model: Model): Outcome[] {
  const rule = 'too-many-readers';
  const streams = Map.groupBy(readersOf(model), ({ stream }) => identityOf(stream, model.resources));
  return [...streams.values()].flatMap((readers): Outcome[] => {
    const most = mostReaders(model, readers[0]?.stream ?? '');
    const sure = readers.filter(({ reads }) => reads === 'yes');
    const [surplus] = sure.slice(most.sure);
    if (surplus !== undefined)
      return [
        found(rule, surplus.at, {
          severity: 'hurts',
          happens: `${sure.length} functions read one stream that is made for ${most.sure}${most.why}: reads are throttled and all of them fall behind. Let one do the work of several, or publish to EventBridge and branch off there.`,
          when: 'whenever the table is busy; whoever is 24 h behind loses records',
          write: surplus.write,
        }),
      ];
    const [doubtful] = readers.length > most.possible ? readers.slice(most.possible) : [];
    return doubtful === undefined
      ? []
      : [
          unjudged(
            rule,
            doubtful.at,
            `whether more than ${most.possible} read this stream is known only when it is deployed`,
          ),
        ];
  });
}

function readersOf(model: Model): Reader[] {
  const mapped = model.mappings.flatMap((mapping): Reader[] => {
    const enabled = wordIn(mapping.settings.enabled);
    const off = enabled.known && enabled.value?.toLowerCase() === 'false';
    if (off || mapping.source !== 'dynamodb') return [];
    const write = setting(model, mapping, 'enabled', false);
    return [
      {
        at: mapping.at,
        stream: textOf(mapping.settings.stream),
        reads: enabled.known ? 'yes' : 'maybe',
        write,
      },
    ];
  });
  const pipes = model.pipes.map((source): Reader => {
    const write = [lines(model, 'in', source.path.replace(/\.Source$/, ''), { DesiredState: 'STOPPED' })];
    return { at: source, stream: textOf(source), reads: 'yes', write };
  });
  return [
    ...mapped,
    ...pipes.filter(({ stream }) => identityOf(stream, model.resources).startsWith('dynamodb:')),
  ];
}

/** Two for each shard; one where the table has replicas, which use the stream as well. */
function mostReaders(model: Model, stream: string): { sure: number; possible: number; why: string } {
  const table = resourceOf(stream, model.resources);
  const replicas = member(table?.properties, 'Replicas');
  if (table?.type !== 'AWS::DynamoDB::GlobalTable' || replicas === undefined)
    return { sure: 2, possible: 2, why: '' };
  if (!Array.isArray(replicas.content)) return { sure: 2, possible: 1, why: '' };
  return replicas.content.length > 1
    ? { sure: 1, possible: 1, why: ' (a global table)' }
    : { sure: 2, possible: 2, why: '' };
}
