/** Known defects, each as changes of the source's text. */

export type SourceChange = { file: string; find: string; put: string };

export type Plant = {
  changes: readonly SourceChange[];
  /** The promises that it may break, as `sluice torture` calls them. */
  breaks: readonly string[];
  /** With these it was found. */
  seed: number;
  kills: number;
  sinkFaults: number;
};

/** By name: what is changed, and where. Each `find` must be there once, or the defect no longer fits the code. */
export const plants: Readonly<Record<string, Plant>> = {
  'checkpoint before send': {
    breaks: ['events: missing or altered'],
    seed: 5,
    kills: 10,
    sinkFaults: 0.05,
    changes: [
      {
        file: 'src/local/mapping/delivery.ts',
        find: '    const outcome = await invokeOnce(run, piece.entries);\n',
        put: '    await settled(run, shardId, piece.entries);\n    const outcome = await invokeOnce(run, piece.entries);\n',
      },
    ],
  },
  '`sending` written after the send': {
    breaks: ['mail: doubled'],
    seed: 3,
    kills: 12,
    sinkFaults: 0.05,
    changes: [
      {
        file: 'src/mail/sender.ts',
        find: `  if (!(await beginSending(connections, row, owner))) return later(row);
  const sent = await sendMail(connections, row, ready.to, ready.mail);
`,
        put: `  const sent = await sendMail(connections, row, ready.to, ready.mail);
  if (!(await beginSending(connections, row, owner))) return later(row);
`,
      },
    ],
  },
  'no outbox row before the batch is answered': {
    breaks: ['mail: missing or altered'],
    seed: 2,
    kills: 10,
    sinkFaults: 0.05,
    changes: [
      {
        file: 'src/sinks/email/sink.ts',
        find: 'send: (rows, signal) => putAbsent(dynamodb, config.SLUICE_OUTBOX_TABLE, rows, signal),',
        put: `send: async (rows) => {
        setTimeout(() => putAbsent(dynamodb, config.SLUICE_OUTBOX_TABLE, rows).catch(() => {}), 5_000);
        return rows.map(() => ({ state: 'applied' }));
      },`,
      },
    ],
  },
  'parked events not held': {
    breaks: ['events: out of order, not late'],
    seed: 5,
    kills: 8,
    sinkFaults: 0.1,
    changes: [
      {
        file: 'src/pipeline/stream.ts',
        find: 'held: (sink, items, signal) => heldItems(connections, sink, items, signal),',
        put: 'held: async () => new Set(),',
      },
    ],
  },
  'hold deleted whatever its rev': {
    // What is left without a hold is overtaken, or taken as late.
    breaks: ['events: out of order, not late', 'events: late without reason', 'search: missing or stale'],
    seed: 6,
    kills: 40,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/deliveries/holds.ts',
        find: "ConditionExpression: `${build.name('rev')} = ${build.value(rev)} AND ${build.name('owner')} = ${build.value(owner)}`,",
        put: "ConditionExpression: `${build.name('owner')} = ${build.value(owner)}`,",
      },
    ],
  },
  'a lease per row instead of per item': {
    breaks: ['mail: out of order'],
    seed: 6,
    kills: 20,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/mail/sender.ts',
        find: "    if (outcome.outcome === 'later') return outcome;\n",
        put: "    if (outcome.outcome === 'later') continue;\n",
      },
    ],
  },
  'redrive from payload for search': {
    breaks: ['search: missing or stale'],
    seed: 1,
    kills: 20,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/deliveries/park.ts',
        find: 'targets: [...new Set(parkings.flatMap(({ targets }) => targets))],',
        put: `targets: [
      ...new Set(parkings.flatMap(({ targets }) => targets)),
      ...(last.after && last.entity.search
        ? ['payload:' + JSON.stringify(last.entity.search.document(last.after))]
        : []),
    ],`,
      },
      {
        file: 'src/sinks/search/sink.ts',
        find: 'async recover({ entity, key, item, version, versioned, occurredAt }) {\n      if (entity.search === undefined) return [];\n',
        put: `async recover({ entity, key, item, version, versioned, occurredAt, targets }) {
      if (entity.search === undefined) return [];
      const payload = targets.findLast((target) => target.startsWith('payload:'));
      if (payload !== undefined) {
        const document = JSON.parse(payload.slice('payload:'.length));
        const at = versioned ? version : store.now() * 1000;
        return [{ kind: 'document', index: entity.search.index, id: item, key, version: at, document }];
      }
`,
      },
    ],
  },
  'plain delete in search': {
    breaks: ['search: missing or stale'],
    seed: 6,
    kills: 40,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/sinks/search/bulk.ts',
        find: `  return [
    { index: { _index: write, _id: id, version, version_type: 'external_gte' as const } },
    { ...document, [marks.item]: id },
  ];`,
        put: `  const place = { _index: write, _id: id, version, version_type: 'external_gte' as const };
  return document[marks.removedAt] === undefined
    ? [{ index: place }, { ...document, [marks.item]: id }]
    : [{ delete: place }];`,
      },
      {
        file: 'src/sinks/search/bulk.ts',
        find: 'return requests.map((_, index) => answerOf(items[index]?.index));',
        put: `return requests.map((_, index) => {
      const deleted = items[index]?.delete;
      return answerOf(deleted?.status === 404 ? { status: 200 } : (deleted ?? items[index]?.index));
    });`,
      },
    ],
  },
  'cache fill without a token': {
    breaks: ['cache: stale'],
    seed: 1,
    kills: 3,
    sinkFaults: 0.05,
    changes: [
      {
        file: 'src/sinks/cache/commands.ts',
        find: "if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return 0 end\n",
        put: '',
      },
      {
        file: 'src/local/servers/cache/scripts.ts',
        find: '  if (!Buffer.isBuffer(current) || token === undefined || !current.equals(token)) return 0;\n',
        put: '',
      },
    ],
  },
  'cache row without the keys before': {
    breaks: ['cache: stale'],
    seed: 4,
    kills: 30,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/deliveries/park.ts',
        find: 'await raiseView(raise, viewOf(parkings), () =>',
        put: "await raiseView(raise, { ...viewOf(parkings), ...(sink.name === 'cache' && { targets: [] }) }, () =>",
      },
    ],
  },
  'SES client with retries': {
    breaks: ['mail: doubled'],
    seed: 4,
    kills: 5,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/connections.ts',
        find: 'ses: new SESClient({ requestHandler, maxAttempts: 1 }),',
        put: 'ses: new SESClient({ requestHandler, maxAttempts: 3 }),',
      },
    ],
  },
  'audit redriven by re-reading': {
    breaks: ['audit: missing or altered'],
    seed: 2,
    kills: 20,
    sinkFaults: 0.2,
    changes: [
      {
        file: 'src/deliveries/unit.ts',
        find: '  { app, saying, guard, counts, signal }: Parts,\n  change: ParkedChange,',
        put: '  { app, connections, sink, saying, guard, counts, signal }: Parts,\n  change: ParkedChange,',
      },
      {
        file: 'src/deliveries/unit.ts',
        find: '    requests = through.plan(found);\n',
        put: `    const after =
      sink.name === 'audit'
        ? await (await import('../table/read.ts')).getImage(
            { ...connections, table: app.table, tableName: connections.config.SLUICE_TABLE },
            found.key,
          )
        : undefined;
    requests = through.plan(after ? { ...found, images: { ...found.images, after } } : found);
`,
      },
    ],
  },
};
