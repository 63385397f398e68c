/**
 * When a domain event happens: a rule looks at what an item was and is. Rules are pure data with one pure
 * function; several may hold for one change.
 */
type Fields = Readonly<Record<string, unknown>>;

type Moment = {
  before: Fields | undefined;
  after: Fields | undefined;
  /** A new incarnation began with this change: a first creation, or one after a removal. */
  born: boolean;
};

type RuleOptions<Personal extends string> = {
  /** The personal fields that this event may carry; all other personal fields are left out. */
  personal?: readonly Personal[];
  /** The version of the event's data, for those who subscribe: raised when its shape changes. Default 1. */
  eventVersion?: number;
};

export type EventRule<
  Field extends string = string,
  Value = unknown,
  Personal extends string = string,
> = RuleOptions<Personal> & {
  field?: Field;
  value?: Value;
  holds(moment: Moment): boolean;
};

/** The rule itself where its fields and its value are possible for the item, else a message. */
export type CheckedRule<Rule, Item> =
  Rule extends EventRule<infer Field, infer Value, infer Personal>
    ? [Exclude<Personal, keyof Item>] extends [never]
      ? [Field] extends [never]
        ? Rule
        : [Field] extends [keyof Item]
          ? [Value] extends [Item[Field]]
            ? Rule
            : `${Field} can never be that`
          : `${Field} is no field of the item`
      : `${Exclude<Personal, keyof Item> & string} is no field of the item`
    : never;

/** The item came to be: for the first time, or again after a removal. */
export function created<const Personal extends string = never>(
  options: RuleOptions<Personal> = {},
): EventRule<never, never, Personal> {
  return { ...options, holds: ({ born }) => born };
}

/** The item was removed: by Sluice, by a plain delete or by expiry. */
export function removed<const Personal extends string = never>(
  options: RuleOptions<Personal> = {},
): EventRule<never, never, Personal> {
  return { ...options, holds: ({ before, after }) => before !== undefined && after === undefined };
}

/** A field took this value; being created with it does not count. */
export function became<const Field extends string, const Value, const Personal extends string = never>(
  field: Field,
  value: Value,
  options: RuleOptions<Personal> = {},
): EventRule<Field, Value, Personal> {
  return {
    ...options,
    field,
    value,
    holds: ({ before, after, born }) =>
      // Put back past Sluice it shows no before: it has not become anything.
      !born && before !== undefined && after?.[field] === value && before[field] !== value,
  };
}

/** A number grew, in an item that was already there. */
export function increased<const Field extends string, const Personal extends string = never>(
  field: Field,
  options: RuleOptions<Personal> = {},
): EventRule<Field, never, Personal> {
  return {
    ...options,
    field,
    holds: ({ before, after, born }) =>
      !born && after !== undefined && before !== undefined && Number(after[field]) > Number(before[field]),
  };
}
