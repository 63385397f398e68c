/** Which rights each function needs: those of the code that it runs, and of the sinks that are on. */
import { readConfig } from '../config.ts';
import { connect } from '../connections.ts';
import { redriveRights } from '../deliveries/handler.ts';
import { feedbackRights } from '../mail/feedback.ts';
import { mailRights } from '../mail/handler.ts';
import { adoption } from '../pipeline/adoption.ts';
import type { App } from '../pipeline/app.ts';
import type { Sink } from '../pipeline/sink.ts';
import { openSinks, type Reader, storeOf, streamRights } from '../pipeline/stream.ts';
import type { Right } from '../rights.ts';

export const functionNames = ['project', 'notify', 'redrive', 'mail', 'feedback', 'api'] as const;

export type FunctionName = (typeof functionNames)[number];

/** What is switched on, and protected by a secret. */
export type Switched = Record<'search' | 'cache' | 'searchSecret' | 'cacheSecret', boolean>;

export function rightsOf(
  name: FunctionName,
  { app, apiRights, on }: { app: App; apiRights: readonly Right[]; on: Switched },
): Right[] {
  const sent = (reader: Reader) => sinksOf(app, reader, on).flatMap(({ rights }) => rights?.send ?? []);
  const recovered = (reader: Reader) =>
    sinksOf(app, reader, on).flatMap(({ rights }) => rights?.recover ?? []);
  const all: Record<FunctionName, () => readonly Right[]> = {
    project: () => [...streamRights, ...sent('project')],
    notify: () => [...streamRights, ...sent('notify')],
    redrive: () => [
      ...redriveRights,
      ...streamRights,
      ...(['project', 'notify'] as const).flatMap((reader) => [...sent(reader), ...recovered(reader)]),
    ],
    mail: () => mailRights,
    feedback: () => feedbackRights,
    api: () => apiRights,
  };
  const secrets: Record<string, boolean> = {
    'secret/search': on.search && on.searchSecret,
    'secret/cache': on.cache && on.cacheSecret,
  };
  const needed = all[name]().filter((right) => secrets[right.on] ?? true);
  return needed.filter(
    ({ action, on: place }, index) =>
      needed.findIndex((other) => other.action === action && other.on === place) === index,
  );
}

/** The sinks as they would be made there; nothing is behind them, and nothing is asked. */
export function sinksOf(app: App, reader: Reader, on: Pick<Switched, 'search' | 'cache'>): Sink[] {
  const connections = connect(
    readConfig({
      ...(on.search && { SLUICE_SEARCH_ENDPOINT: 'http://127.0.0.1:9' }),
      ...(on.cache && { SLUICE_CACHE_ENDPOINT: 'memory:' }),
    }),
  );
  const context = { connections, store: storeOf(app, connections), replay: false, late: false };
  return openSinks([adoption, ...app.sinks], reader, context);
}
