/** Builds DynamoDB expressions: every name and value goes in by placeholder, so that none can collide or inject. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { encodeAttribute } from './attributes.ts';

export type Expression = ReturnType<typeof expression>;

export function expression() {
  const names = new Map<string, string>();
  const values: Record<string, AttributeValue> = {};
  return {
    name(attribute: string): string {
      const known = names.get(attribute) ?? `#n${names.size}`;
      names.set(attribute, known);
      return known;
    },
    value(value: unknown): string {
      const placeholder = `:v${Object.keys(values).length}`;
      values[placeholder] = encodeAttribute(value);
      return placeholder;
    },
    /** Sets what has a value and takes away what is `undefined`; a text in `sums` is added as it stands. */
    update(attributes: Readonly<Record<string, unknown>>, sums: readonly string[] = []): string {
      const entries = Object.entries(attributes);
      const written = entries.filter(([, value]) => value !== undefined);
      const sets = [...sums, ...written.map(([name, value]) => `${this.name(name)} = ${this.value(value)}`)];
      const removes = entries.filter(([, value]) => value === undefined).map(([name]) => this.name(name));
      const parts = [
        sets.length > 0 && `SET ${sets.join(', ')}`,
        removes.length > 0 && `REMOVE ${removes.join(', ')}`,
      ];
      return parts.filter(Boolean).join(' ');
    },
    placeholders() {
      return {
        ExpressionAttributeNames: Object.fromEntries(
          [...names].map(([attribute, name]) => [name, attribute]),
        ),
        ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
      };
    },
  };
}
