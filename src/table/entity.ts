/**
 * `defineEntity`: the one place where a kind of item is declared. Keys, search document, cache keys, domain
 * events, emails and audit rules stand there; everything else derives from it. An optional member is a
 * capability: an entity without `search` is not searched.
 */
import type * as z from 'zod/mini';
import type { CheckedRule, EventRule } from './rules.ts';
import { type CheckedTemplate, parseTemplate, type Template } from './template.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** How a search field is mapped and compared. */
export type SearchFieldType = 'text' | 'keyword' | 'double' | 'long' | 'boolean' | 'date';

/** A cache key, or one whose value can only be read from an index and so gets a life of seconds. */
export type CacheKey = string | { key: string; from: 'index' };

/** `atMostOnce`: when in doubt it is left for a person. `atLeastOnce`: when in doubt it is sent again. */
export type MailPolicy = 'atMostOnce' | 'atLeastOnce';

export type EmailTemplate = { subject: string; text: string; html: string };

type Email<Item, EventName> = {
  on: EventName;
  policy: MailPolicy;
  /**
   * How long after the change it may still go out, in hours; 12 if nothing is said. What is older is not sent but
   * refused, so that no replay mails yesterday's news.
   */
  maxAgeHours?: number;
  to(item: Item): string;
  /** Eta templates; the item is `it`. */
  template: EmailTemplate;
};

type Adopted = 'ours' | 'all';

type KeyPair = { pk: string; sk: string };

type CheckedKeyPair<Pair, Item> = Pair extends { pk: infer Pk extends string; sk: infer Sk extends string }
  ? [Pk, Sk] extends [CheckedTemplate<Pk, Item>, CheckedTemplate<Sk, Item>]
    ? Pair
    : { pk: CheckedTemplate<Pk, Item>; sk: CheckedTemplate<Sk, Item> }
  : never;

/** The steps a field may take: `{ status: { pending: ['paid'], paid: [] } }`. What is not named may take any. */
type Steps<Item> = {
  [Field in keyof Item]?: { [From in Item[Field] & string]: readonly (Item[Field] & string)[] };
};

/** Each field declared for search, and no other: the index is strict and would refuse the document. */
type CheckedDocument<Document, SearchFields> = { [Field in keyof SearchFields]: unknown } & {
  [Other in Exclude<keyof Document, keyof SearchFields>]: never;
};

type Declaration<
  Schema extends z.ZodMiniObject,
  Name extends string,
  Pk extends string,
  Sk extends string,
  Indexes extends Readonly<Record<string, KeyPair>>,
  Events extends Readonly<Record<string, unknown>>,
  SearchFields extends Readonly<Record<string, SearchFieldType>>,
  Document,
> = {
  name: Name;
  schema: Schema;
  /** `request`: whatever lies at the key answers, for ever. `natural`: free again after a removal. */
  key: {
    pk: CheckedTemplate<Pk, z.output<Schema>>;
    sk: CheckedTemplate<Sk, z.output<Schema>>;
    from: 'request' | 'natural';
  };
  indexes?: { [Index in keyof Indexes]: CheckedKeyPair<Indexes[Index], z.output<Schema>> };
  steps?: Steps<z.output<Schema>>;
  /** Fields that leave in an event only where the event allows it, and never in a log. */
  personal?: readonly (keyof z.output<Schema> & string)[];
  search?: {
    index: string;
    fields: SearchFields;
    document(item: z.output<Schema>): Document & CheckedDocument<Document, SearchFields>;
  };
  cache?(item: z.output<Schema>): readonly CacheKey[];
  events?: { [Event in keyof Events]: CheckedRule<Events[Event], z.output<Schema>> };
  emails?: Readonly<Record<string, Email<z.output<Schema>, NoInfer<keyof Events & string>>>>;
  audit?: { redact?: readonly (keyof z.output<Schema> & string)[] };
  /**
   * Which items that others changed are given a version: `ours` (default), those that carried one of Sluice's, or
   * `all`, those too that never had one.
   */
  adopt?: Adopted;
};

/** An entity as the engine sees it; `Item` are its declared fields. */
export type Entity<
  Item extends Fields = Fields,
  Name extends string = string,
  Schema extends z.ZodMiniObject = z.ZodMiniObject,
  SearchFields extends Readonly<Record<string, SearchFieldType>> = Readonly<Record<string, SearchFieldType>>,
> = {
  name: Name;
  schema: Schema;
  key: { pk: Template; sk: Template; from: 'request' | 'natural' };
  indexes: Readonly<Record<string, { pk: Template; sk: Template }>>;
  steps: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  personal: readonly string[];
  search?: { index: string; fields: SearchFields; document(item: Item): Fields };
  cache?(item: Item): readonly CacheKey[];
  events: Readonly<Record<string, EventRule>>;
  emails: Readonly<Record<string, Email<Item, string>>>;
  audit?: { redact: readonly string[] };
  adopt: Adopted;
  /** The declared fields of a stored item, or what does not fit. */
  parse(fields: Fields): { item: Item } | { misfit: string };
};

export function defineEntity<
  Schema extends z.ZodMiniObject,
  const Name extends string,
  const Pk extends string,
  const Sk extends string,
  const Indexes extends Readonly<Record<string, KeyPair>> = Record<never, never>,
  // biome-ignore lint/suspicious/noExplicitAny: the rule's own type parameters are checked by CheckedRule.
  const Events extends Readonly<Record<string, EventRule<any, any, any>>> = Record<never, never>,
  const SearchFields extends Readonly<Record<string, SearchFieldType>> = Record<never, never>,
  Document = Record<never, never>,
>(
  declaration: Declaration<Schema, Name, Pk, Sk, Indexes, Events, SearchFields, Document>,
): Entity<z.output<Schema> & Fields, Name, Schema, SearchFields> {
  type Item = z.output<Schema> & Fields;
  const { name, schema, key, search, cache, audit } = declaration;
  const indexes = Object.entries<KeyPair>(declaration.indexes ?? {});
  return {
    name,
    schema,
    key: { pk: parseTemplate(key.pk), sk: parseTemplate(key.sk), from: key.from },
    indexes: Object.fromEntries(
      indexes.map(([index, { pk, sk }]) => [index, { pk: parseTemplate(pk), sk: parseTemplate(sk) }]),
    ),
    steps: (declaration.steps ?? {}) as Entity['steps'],
    personal: declaration.personal ?? [],
    ...(search && { search: search as NonNullable<Entity<Item, Name, Schema, SearchFields>['search']> }),
    ...(cache && { cache: cache as NonNullable<Entity<Item>['cache']> }),
    events: (declaration.events ?? {}) as Entity['events'],
    emails: (declaration.emails ?? {}) as Entity<Item>['emails'],
    ...(audit && { audit: { redact: audit.redact ?? [] } }),
    adopt: declaration.adopt ?? 'ours',
    parse(fields) {
      const parsed = schema.safeParse(fields);
      if (parsed.success) return { item: parsed.data as Item };
      const issues = parsed.error.issues.map(
        (issue) => `${issue.path.join('.') || 'item'}: ${issue.message}`,
      );
      return { misfit: issues.join('; ') };
    },
  };
}
