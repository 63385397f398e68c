/**
 * Redrive's Lambda, on a schedule: tries what is due, then takes up failed batches, until its time is nearly up. Once
 * a day it purges.
 */
import type { Context } from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import { flattened } from '../metrics.ts';
import type { App } from '../pipeline/app.ts';
import { type Right, rights } from '../rights.ts';
import { openFailures } from './failures.ts';
import { oldestParked } from './holds.ts';
import { openDailyPurge } from './purge.ts';
import { keepRate } from './rate.ts';
import { type Redriven, redriveDue } from './redrive.ts';
import { type Retaken, retakeFailures } from './retake.ts';

export type RedriveHandler = (
  event?: unknown,
  context?: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<Pick<Redriven, 'items' | 'sinks'> & { batches: Retaken }>;

/** What it calls besides the sinks and the readers that it stands in for. */
export const redriveRights: readonly Right[] = [
  ...rights('deliveries', 'dynamodb:Query', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem'),
  ...rights('deliveries/index/due', 'dynamodb:Query'),
  ...rights('failures', 's3:ListBucket', 's3:GetObject', 's3:DeleteObject'),
];

/** What is left of the invocation when nothing new is begun, milliseconds. */
const marginMilliseconds = 10_000;
/** How long a run lasts where nothing bounds it, milliseconds. */
const runMilliseconds = 50_000;
/** Of a run, what parked items may take: were it all of it, a long queue of them would hide the failed batches. */
const shareOfItems = 0.8;

export function redriveHandler(app: App): RedriveHandler {
  let handler: RedriveHandler | undefined;
  return async function handleSchedule(event, context) {
    handler ??= openRedrive(app, connect(readConfig(process.env)));
    return handler(event, context);
  };
}

export function openRedrive(app: App, connections: Connections): RedriveHandler {
  const place = connections.config.SLUICE_FAILURES;
  const failures = place === undefined ? undefined : openFailures(place);
  const purgeDue = openDailyPurge(app, connections);
  return async function handleSchedule(_event, context) {
    const remaining = context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
    const milliseconds = Math.max(0, Math.min(runMilliseconds, remaining - marginMilliseconds));
    const signal = connections.deadline(milliseconds);
    const itemsSignal = connections.deadline(milliseconds * (failures ? shareOfItems : 1));
    const began = connections.now();
    const { items, sinks, names } = await redriveDue(app, connections, { signal: itemsSignal });
    const home = Object.values(sinks).reduce((sum, { applied, superseded }) => sum + applied + superseded, 0);
    if (home > 0) await keepRate(connections, { items: home, milliseconds: connections.now() - began });
    // What fails again and again must not keep the others waiting: it comes last.
    const batches = failures
      ? await retakeFailures(app, connections, failures, { signal })
      : { taken: 0, left: 0 };
    if (items + batches.taken + batches.left > 0) connections.log.info('redrive', { items, batches, sinks });
    await purgeDue(signal);
    const oldestParkedSeconds = await oldestParked(connections, names);
    connections.metrics('redrive', {
      ...flattened(sinks),
      'batches.left': batches.left,
      oldestParkedSeconds,
    });
    return { items, sinks, batches };
  };
}
