/** One stream record → one change, or the reason why not. Pure: no clock, no I/O. */
import { AttributeError, type Image } from './attributes.ts';
import { canonicalImage } from './canonical.ts';
import { type Change, changeId, itemName, type Key } from './change.ts';
import type { Entity, Fields } from './entity.ts';
import { type Decoded, type Decoder, type Read, readRecord, type Side, type StreamRecord } from './record.ts';
import type { Table } from './table.ts';
import { field, numberField, versionOf, versionOfChange } from './versions.ts';

export function decoder(table: Table, entities: readonly Entity[]): Decoder {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));

  return function decode(record) {
    try {
      const read = readRecord(record, table);
      if (!('images' in read))
        return read.verdict === 'ignored' ? keptIfOurs(read, record, entities, table) : read;
      const known = recognise(read, byName, entities, table);
      return 'entity' in known ? changeOf(known.entity, read, table) : known;
    } catch (error) {
      if (!(error instanceof AttributeError)) throw error;
      return parkUnreadable(record, error, entities, table);
    }
  };
}

/** The entity of a record: named by the item, and by its key. Where only one of the two is ours, it is parked. */
function recognise(
  read: Read,
  byName: ReadonlyMap<string, Entity>,
  entities: readonly Entity[],
  table: Table,
): { entity: Entity } | Decoded {
  const shown = read.images.after ?? read.images.before;
  const name = field(shown?.fields, table.type);
  const named = typeof name === 'string' ? byName.get(name) : undefined;
  const keyed = entities.filter(({ key }) => key.pk.matches(read.key.pk) && key.sk.matches(read.key.sk));
  if (named === undefined && keyed.length === 0) {
    return { verdict: 'ignored', reason: `no entity has ${table.type} ${quoted(name)} or such a key` };
  }
  const change = named ?? keyed[0];
  const partial = change && partialChange(change, read, table);
  if (named === undefined) {
    const likely = keyed.map((entity) => entity.name).join(' or ');
    return parked(`its key is that of ${likely}, but its ${table.type} is ${quoted(name)}`, partial);
  }
  if (!keyed.includes(named)) {
    return parked(`its ${table.type} is ${named.name}, but its key is not that of one`, partial);
  }
  return { entity: named };
}

function changeOf(entity: Entity, read: Read, table: Table): Decoded {
  const { before, after } = read.images;
  if (
    before !== undefined &&
    after !== undefined &&
    canonicalImage(before.image) === canonicalImage(after.image)
  ) {
    return { verdict: 'unchanged', reason: 'both images say the same' };
  }
  const change = partialChange(entity, read, table);
  if (change.before === undefined && change.after === undefined) {
    return { verdict: 'unchanged', reason: 'a tombstone: the item was removed before' };
  }
  if (change.after === undefined) return { verdict: 'change', change };
  const parsed = entity.parse(change.after);
  if ('misfit' in parsed) return parked(`the item does not fit ${entity.name}: ${parsed.misfit}`, change);
  const misplaced = misplacement(entity, parsed.item, read.key);
  if (misplaced !== undefined) return parked(misplaced, change);
  return { verdict: 'change', change };
}

function misplacement(entity: Entity, item: Fields, key: Key): string | undefined {
  try {
    if (entity.key.pk.render(item) === key.pk && entity.key.sk.render(item) === key.sk) return undefined;
  } catch {
    // A field that cannot stand in the key cannot have made it either.
  }
  return `the key of ${entity.name} does not follow from its fields`;
}

function partialChange(entity: Entity, read: Read, table: Table): Change {
  const before = live(read.images.before, table);
  const after = live(read.images.after, table);
  const versionBefore = versionOf(read.images.before?.fields, table);
  const { version, inexact } = versionOfChange(read, versionBefore, table);
  const item = itemName(entity.name, read.key);
  const carried = versionOf(read.images.after?.fields, table);
  const sides = { before: before && declared(entity, before), after: after && declared(entity, after) };
  return {
    id: changeId(item, version, inexact === undefined ? undefined : read.eventId),
    entity,
    key: read.key,
    item,
    kind: after === undefined ? 'remove' : before === undefined ? 'insert' : 'modify',
    ...sides,
    born: isBirth({ ...sides, carried, inexact }, field(after, table.born)),
    expired: read.expired,
    version,
    carried,
    versionBefore,
    ...(inexact !== undefined && { inexact }),
    occurredAt: new Date(read.time).toISOString(),
    expiresAt: numberField(after, table.ttl),
    ...attribution(inexact === undefined ? read.images.after?.fields : undefined, table),
    images: { before: read.images.before?.image, after: read.images.after?.image },
  };
}

/** A before image may be older than the schema: it is shown as far as it fits. */
function declared(entity: Entity, fields: Fields): Fields {
  const parsed = entity.parse(fields);
  return 'item' in parsed ? parsed.item : fields;
}

/** Who and why stand in what Sluice wrote; what others write keeps the stamps of the write before, or has none. */
function attribution(fields: Fields | undefined, table: Table): Pick<Change, 'actor' | 'reason' | 'request'> {
  const text = (name: string) => {
    const value = field(fields, name);
    return typeof value === 'string' ? value : undefined;
  };
  return { actor: text(table.actor), reason: text(table.reason), request: text(table.request) };
}

function live(shown: Side | undefined, table: Table): Fields | undefined {
  return shown === undefined || field(shown.fields, table.removed) !== undefined ? undefined : shown.fields;
}

/** An item that carries the mark was born by the write of that very version, and by no copy or restoration of it. */
function isBirth(
  change: Pick<Change, 'before' | 'after' | 'carried'> & { inexact: string | undefined },
  mark: unknown,
): boolean {
  if (change.after === undefined) return false;
  if (mark !== undefined) return mark === change.carried && change.inexact === undefined;
  // Without the mark others made it: that is a birth, unless it once carried our version.
  return change.before === undefined && (change.carried === undefined || change.inexact === undefined);
}

function parkUnreadable(
  record: StreamRecord,
  error: AttributeError,
  entities: readonly Entity[],
  table: Table,
): Decoded {
  const keys = record.dynamodb?.Keys;
  // What cannot even be told apart from ours is kept: a foreign record too many is cheap, one of ours lost is not.
  const isTold = textOf(keys, table.pk) !== undefined && textOf(keys, table.sk) !== undefined;
  const foreign = isTold && ownerOf(record, entities, table) === undefined;
  return foreign
    ? { verdict: 'ignored', reason: 'no entity has such a key' }
    : { verdict: 'parked', reason: error.message };
}

/** A key that is none of this table's is somebody else's record, unless an image of it says that it is ours. */
function keptIfOurs(
  ignored: Decoded,
  record: StreamRecord,
  entities: readonly Entity[],
  table: Table,
): Decoded {
  const owner = ownerOf(record, entities, table);
  if (owner === undefined) return ignored;
  return {
    verdict: 'parked',
    reason: `its Keys are not ${table.pk} and ${table.sk}, but what it shows is of ${owner.name}`,
  };
}

/** The entity that a record says it is of, by the type or the key of whatever of it can be read. */
function ownerOf({ dynamodb }: StreamRecord, entities: readonly Entity[], table: Table): Entity | undefined {
  const shown = [dynamodb?.NewImage, dynamodb?.OldImage];
  const types = shown.map((image) => textOf(image, table.type));
  const keys = [dynamodb?.Keys, ...shown].map((image) => [textOf(image, table.pk), textOf(image, table.sk)]);
  return entities.find(
    ({ name, key }) =>
      types.includes(name) ||
      keys.some(
        ([pk, sk]) => pk !== undefined && sk !== undefined && key.pk.matches(pk) && key.sk.matches(sk),
      ),
  );
}

/** A text attribute of what may not be an image at all. */
function textOf(image: Image | undefined, name: string): string | undefined {
  const value = Object.hasOwn(Object(image), name) ? Object(image)[name] : undefined;
  const { S } = Object(value) as { S?: unknown };
  return typeof S === 'string' ? S : undefined;
}

function parked(reason: string, change: Change | undefined): Decoded {
  return { verdict: 'parked', reason, ...(change && { change: { ...change, misfit: reason } }) };
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : 'missing';
}
