/** The table's own attribute names, declared once: most users have a table already. */
type IndexKeys = { pk: string; sk: string };

export type TableDeclaration<IndexName extends string = string> = {
  pk: string;
  sk: string;
  /** The attribute that names the entity. */
  type: string;
  /** The attribute that holds the item's own number. */
  version: string;
  /** The attribute that DynamoDB's time to live reads: epoch seconds. Default `_ttl`. */
  ttl?: string;
  /** What every stamp of Sluice begins with, such as `_actor`; no other writer's attributes may. Default `_`. */
  stamps?: string;
  indexes?: Readonly<Record<IndexName, IndexKeys>>;
};

export type Table = ReturnType<typeof defineTable>;

/**
 * The names of every attribute that Sluice itself writes. What it stamps has a beginning of its own, so that it
 * stands apart from the fields of the entities.
 */
export function defineTable<const IndexName extends string = never>(
  declaration: TableDeclaration<IndexName>,
) {
  const { pk, sk, type, version, ttl = '_ttl', stamps: prefix = '_' } = declaration;
  const indexes: Readonly<Record<string, IndexKeys>> = declaration.indexes ?? {};
  const stamps = {
    born: `${prefix}born`, // the version at which this incarnation was created
    removed: `${prefix}removed`, // set on a tombstone: when, ISO 8601
    actor: `${prefix}actor`,
    reason: `${prefix}reason`,
    request: `${prefix}request`, // id of the request that wrote last
    hash: `${prefix}hash`, // hash of that request's input
    requests: `${prefix}requests`, // ids of the last 8 requests that wrote under the optimistic lock, newest first
    creator: `${prefix}creator`, // id of the request that created this incarnation
    created: `${prefix}created`, // hash of that request's input
  };
  const own = [pk, sk, type, version, ttl, ...Object.values(stamps)];
  const keys = Object.values(indexes).flatMap((index) => [index.pk, index.sk]);
  const all = [...own, ...keys];
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Table: the attribute name "${twice}" is declared twice.`);
  return { pk, sk, type, version, ttl, ...stamps, indexes, reserved: new Set(all) };
}
