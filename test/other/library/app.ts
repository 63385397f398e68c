/** The library: a second app on a second table, with a sixth sink. */
import { type App, defineApp } from '../../../src/pipeline/app.ts';
import { audit } from '../../../src/sinks/audit/sink.ts';
import { bus } from '../../../src/sinks/bus/sink.ts';
import { cache } from '../../../src/sinks/cache/sink.ts';
import { email } from '../../../src/sinks/email/sink.ts';
import { search } from '../../../src/sinks/search/sink.ts';
import type { Entity } from '../../../src/table/entity.ts';
import { eventsOf } from '../../../src/table/events.ts';
import { book } from './book.ts';
import { copy } from './copy.ts';
import { hours } from './hours.ts';
import { loan } from './loan.ts';
import { type Line, lobby } from './lobby.ts';
import { table } from './table.ts';

/** What the screen has shown. */
export const screen: Line[] = [];

const shown = lobby(
  (change) => eventsOf(change).map(({ name }) => name),
  async (line) => void screen.push(line),
);

/** `adopt` on every entity; without it each has its own. */
export function libraryWith(adopt?: 'ours' | 'all'): App {
  return defineApp({
    table,
    entities: [book, loan, hours, copy].map((entity) => (adopt ? { ...entity, adopt } : entity) as Entity),
    sinks: [search, cache, audit, email, bus, shown],
  });
}

export const app = libraryWith();
