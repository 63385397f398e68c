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
  indexes?: Readonly<Record<IndexName, IndexKeys>>;
};

export type Table = ReturnType<typeof defineTable>;

/**
 * The names of every attribute that Sluice itself writes. What it stamps begins with an underscore, so that it
 * stands apart from the fields of the entities.
 */
export function defineTable<const IndexName extends string = never>(
  declaration: TableDeclaration<IndexName>,
) {
  const { pk, sk, type, version, ttl = '_ttl' } = declaration;
  const indexes: Readonly<Record<string, IndexKeys>> = declaration.indexes ?? {};
  const stamps = {
    born: '_born', // the version at which this incarnation was created
    removed: '_removed', // set on a tombstone: when, ISO 8601
    actor: '_actor',
    reason: '_reason',
    request: '_request', // id of the request that wrote last
    hash: '_hash', // hash of that request's input
    requests: '_requests', // ids of the last 8 requests that wrote under the optimistic lock, newest first
    creator: '_creator', // id of the request that created this incarnation
    created: '_created', // hash of that request's input
  } as const;
  const own = [pk, sk, type, version, ttl, ...Object.values(stamps)];
  const keys = Object.values(indexes).flatMap((index) => [index.pk, index.sk]);
  const all = [...own, ...keys];
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Table: the attribute name "${twice}" is declared twice.`);
  return { pk, sk, type, version, ttl, ...stamps, indexes, reserved: new Set(all) };
}
