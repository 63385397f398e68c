/** Filters of a search: exact values or ranges of the fields that an entity declares for search. */
import type { Entity, SearchFieldType } from '../../table/entity.ts';
import { WriteError } from '../../table/errors.ts';

type Range<Value> = { gt?: Value; gte?: Value; lt?: Value; lte?: Value };

type Filter = {
  text: never; // it is cut into words: they are what a text is searched by
  keyword: string | readonly string[];
  double: number | readonly number[] | Range<number>;
  long: number | readonly number[] | Range<number>;
  boolean: boolean;
  /** ISO 8601: a day stands for all of it. */
  date: string | Range<string>;
};

type FieldsOf<One extends Entity> = NonNullable<One['search']>['fields'];

/** By field of the search document; several values mean any of them. */
export type Filters<One extends Entity> = {
  readonly [Field in keyof FieldsOf<One>]?: Filter[FieldsOf<One>[Field]];
};

const comparisons = ['gt', 'gte', 'lt', 'lte'];

/** No value is left to the server to make sense of: it would calculate with dates such as "now-1d". */
const reads: Record<SearchFieldType, (value: unknown) => boolean> = {
  text: () => false,
  keyword: (value) => typeof value === 'string',
  double: Number.isFinite,
  long: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  date: (value) => typeof value === 'string' && isDate(value),
};

export function filterClauses<One extends Entity>(entity: One, filters: Filters<One>): unknown[] {
  const { fields = {} } = entity.search ?? {};
  return Object.entries(filters).map(([field, filter]) => {
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (type === undefined) throw invalid(`${entity.name} has no search field "${field}".`);
    const fits = (value: unknown) => reads[type](value);
    if (Array.isArray(filter) && filter.every(fits)) return { terms: { [field]: [...filter] } };
    if (fits(filter)) return { term: { [field]: filter } };
    if (isRange(type, filter) && Object.values(filter).every(fits)) return { range: { [field]: filter } };
    throw invalid(
      type === 'text' ? `${field} is a text, which is no filter.` : `The filter ${field} needs a ${type}.`,
    );
  });
}

function isRange(type: SearchFieldType, filter: unknown): filter is object {
  const hasOrder = type === 'double' || type === 'long' || type === 'date';
  const isObject = typeof filter === 'object' && filter !== null && !Array.isArray(filter);
  return hasOrder && isObject && Object.keys(filter).every((name) => comparisons.includes(name));
}

/** Whether it is a date or a time of the calendar, in ISO 8601. */
function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text) && !Number.isNaN(Date.parse(text));
}

function invalid(message: string): WriteError {
  return new WriteError('Invalid', message);
}
