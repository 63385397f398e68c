/** What a request is about, in a few words, such as `UpdateItem outbox`: the points at which a process can be killed. */
import type { IncomingMessage } from 'node:http';
import type { ServiceName } from './faults.ts';

/** The names of the tables, by what they are for. */
export type Tables = Readonly<Record<string, string>>;

/** Nothing of what only asks after the stream: there nothing takes effect. */
export function labelOf(
  service: ServiceName,
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  body: Buffer,
  tables: Tables,
): string | undefined {
  if (service === 'search') return url.split('/').at(-1)?.replace(/\?.*/, '') || undefined;
  if (service === 'mail') return new URLSearchParams(body.toString()).get('Action') ?? undefined;
  const target = String(headers['x-amz-target'] ?? '');
  if (target.includes('Streams')) return undefined;
  const operation = target.slice(target.lastIndexOf('.') + 1);
  if (service === 'bus') return operation;
  const text = body.toString();
  const [purpose] = Object.entries(tables).find(([, name]) => text.includes(`"${name}"`)) ?? ['?'];
  return `${operation} ${purpose}`;
}
