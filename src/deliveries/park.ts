/** Parking: what a sink did not take is set aside, so that the stream moves on. */
import { gzipSync } from 'node:zlib';
import type { Connections } from '../connections.ts';
import { chunk } from '../pipeline/chunk.ts';
import type { SinkKind } from '../pipeline/sink.ts';
import { hash } from '../table/canonical.ts';
import type { Row } from '../table/putAbsent.ts';
import { putSpread, rowLimits, shortened, spreadSize } from '../table/rowSize.ts';
import { markLate } from './changes.ts';
import { raiseHold } from './holds.ts';
import { jsonOf } from './json.ts';
import { lookedAfter, orderOf, type ParkedView, type Undelivered, unitOf } from './rows.ts';

/** A change that was not delivered, with the record it came in. */
export type Parking = Undelivered & {
  raw: unknown;
  position: string | undefined;
  /** Others of its item have passed it already. */
  late: boolean;
  /** A person has asked for it again. */
  replay: boolean;
};

/** How many holds are written at once. */
const atOnce = 25;

/** How a sink's deliveries are parked: views by item, acts in each item's order. */
export type Form = { name: string; kind: SinkKind; byItem: boolean };

/**
 * Views are parked by item: an hour's outage must not write a million payloads. Log and acts are parked by change,
 * whole. Gives, in order, whether each is parked.
 */
export async function parkDeliveries(
  connections: Connections,
  sink: Form,
  parkings: readonly Parking[],
): Promise<boolean[]> {
  // The hold stands before its changes do: should we die in between, later ones of the item queue all the same.
  const waiting = parkings.filter(({ state }) => state === 'waiting');
  const early = sink.byItem ? new Set<string>() : await raiseHolds(connections, sink, waiting);
  const holdable = parkings.filter(({ change }) => !early.has(change.item));
  const unwritten = sink.byItem ? new Set<Parking>() : await putChanges(connections, sink, holdable);
  for (const parking of parkings) if (early.has(parking.change.item)) unwritten.add(parking);
  const written = parkings.filter((parking) => !unwritten.has(parking));
  const unheld = await raiseHolds(connections, sink, written);
  return parkings.map((parking) => !unwritten.has(parking) && !unheld.has(parking.change.item));
}

type Unwritten = { row: Row; parkings: Parking[] };

/** Puts each change once; gives those that could not be put. Of an act's item nothing is put behind such a one. */
async function putChanges(
  connections: Connections,
  form: Form,
  parkings: readonly Parking[],
): Promise<Set<Parking>> {
  const { kind } = form;
  // A change can come twice in a batch, and can have several requests; no transaction takes two of one key.
  const byRow = Map.groupBy(
    parkings,
    (parking) => `${parking.change.item} ${orderOf(parking.change, parking.position)}`,
  );
  let open = [...byRow.values()].map(
    (same): Unwritten => ({ row: rowOf(connections, form, same), parkings: same }),
  );
  const failed = new Set<Parking>();
  const stuck = new Set<unknown>();
  while (open.length > 0) {
    const seen = new Set<unknown>();
    const now = open.filter(({ row }) => kind !== 'act' || (!seen.has(row.pk) && seen.add(row.pk)));
    for (const { row, parkings: same } of await unputOf(connections, now)) {
      stuck.add(row.pk);
      for (const parking of same) failed.add(parking);
    }
    const rest = open.filter((one) => !now.includes(one));
    const isBehind = ({ row }: Unwritten) => kind === 'act' && stuck.has(row.pk);
    for (const { parkings: same } of rest.filter(isBehind)) for (const parking of same) failed.add(parking);
    open = rest.filter((one) => !isBehind(one));
  }
  return failed;
}

/** Puts these rows; gives those that could not be put. */
async function unputOf(connections: Connections, rows: readonly Unwritten[]): Promise<Unwritten[]> {
  const { dynamodb, config } = connections;
  const unput: Unwritten[] = [];
  for (const part of chunk(rows, rowLimits, ({ row }) => spreadSize(row))) {
    const puts = part.map(({ row }) => row);
    const answers = await putSpread(dynamodb, config.SLUICE_DELIVERIES_TABLE, puts, 'record');
    for (const [index, one] of part.entries()) {
      const state = answers[index]?.state ?? 'failed';
      // It was parked before, when nothing had passed it yet.
      const isMarked =
        state !== 'repeated' || one.row.late !== true || (await markLate(connections, one.row));
      if (state === 'failed' || !isMarked) unput.push(one);
    }
  }
  return unput;
}

/** One row for all that failed of a change: as long as any of it may still pass, it waits. */
function rowOf({ now }: Connections, { name: sink, byItem }: Form, parkings: readonly Parking[]): Row {
  const parking = parkings.find(({ state }) => state === 'waiting') ?? (parkings[0] as Parking);
  const { change, state, reason, raw, position, late, replay } = parking;
  const at = now();
  return {
    pk: unitOf(sink, change.item),
    sk: orderOf(change, position),
    // Of what never changes: why it failed may be told otherwise each time.
    hash: hash(`${sink} ${change.id}`),
    sink,
    item: change.item,
    change: change.id,
    version: change.version,
    state,
    ...(late && { late }),
    ...(replay && { replay }),
    reason: shortened(reason),
    at,
    ...(state === 'waiting' && !byItem && lookedAfter(sink, change.item, at)),
    record: new Uint8Array(gzipSync(jsonOf(raw))),
  };
}

/** One hold for each item; gives the items whose hold could not be written. */
async function raiseHolds(
  connections: Connections,
  sink: Form,
  parkings: readonly Parking[],
): Promise<Set<string>> {
  const failed = new Set<string>();
  const items = [...Map.groupBy(parkings, ({ change }) => change.item)];
  for (let start = 0; start < items.length; start += atOnce) {
    await Promise.all(
      items.slice(start, start + atOnce).map(async ([item, ofItem]) => {
        if (!(await holdItem(connections, sink, item, ofItem))) failed.add(item);
      }),
    );
  }
  return failed;
}

async function holdItem(
  connections: Connections,
  sink: Form,
  item: string,
  parkings: readonly Parking[],
): Promise<boolean> {
  const waiting = parkings.find(({ state }) => state === 'waiting');
  // What is refused holds nobody: its change alone says so. A view has no such row.
  if (waiting === undefined && !sink.byItem) return true;
  const { state, reason } = waiting ?? (parkings[0] as Parking);
  const raise = (view?: ParkedView) =>
    raiseHold(connections, { sink: sink.name, item, state, reason, ...(view && { view }) });
  try {
    if (!sink.byItem) await raise();
    else
      await raiseView(raise, viewOf(parkings), () =>
        putChanges(connections, { ...sink, kind: 'log' }, parkings),
      );
    return true;
  } catch {
    return false;
  }
}

/** Where a row cannot hold all the targets, the changes are parked whole beside it. */
async function raiseView(
  raise: (view: ParkedView) => Promise<void>,
  view: ParkedView,
  putWhole: () => Promise<Set<Parking>>,
): Promise<void> {
  try {
    await raise(view);
  } catch (error) {
    if ((error as Error).name !== 'ValidationException' || (await putWhole()).size > 0) throw error;
    await raise({ ...view, targets: [] });
  }
}

function viewOf(parkings: readonly Parking[]): ParkedView {
  const changes = parkings.map(({ change }) => change);
  const last = changes.at(-1) as Parking['change']; // an item is there because of a change
  return {
    entity: last.entity.name,
    key: last.key,
    // Whatever has been seen of the item, before or after: what it is now must stand above it.
    version: Math.max(
      ...changes.map(({ version, versionBefore = 0 }) => Math.max(version, versionBefore + 1)),
    ),
    versioned: (last.carried ?? last.versionBefore) !== undefined,
    occurredAt: last.occurredAt,
    targets: [...new Set(parkings.flatMap(({ targets }) => targets))],
  };
}
