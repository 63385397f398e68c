import { mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const Progress = z.strictObject({
  after: z.string().regex(/^\d+$/).optional(),
  ended: z.boolean().optional(),
});
const File = z.strictObject({ streamArn: z.string(), shards: z.record(z.string(), Progress) });

type Place = { folder: string; name: string; streamArn: string; warn: (line: string) => void };

export type Checkpoints = ReturnType<typeof openCheckpoints>;

/** How far each shard is done, in a file that is whole whenever the process dies. */
export function openCheckpoints({ folder, name, streamArn, warn }: Place) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${encodeURIComponent(name)}.json`);
  let found = read(path, name);
  if (found && found.streamArn !== streamArn) {
    warn(`${path} belongs to ${found.streamArn} and is not used: ${streamArn} is read from its beginning`);
    found = undefined;
  }
  const state = found ?? { streamArn, shards: {} };
  let tail = Promise.resolve();

  /** One write at a time: shards move side by side, but the file is one. */
  function save(): Promise<void> {
    const written = tail.then(() => write(path, state));
    tail = written.catch(() => {});
    return written;
  }

  return {
    after: (shardId: string) => state.shards[shardId]?.after,
    isEnded: (shardId: string) => state.shards[shardId]?.ended === true,
    advance(shardId: string, sequenceNumber: string) {
      state.shards[shardId] = { ...state.shards[shardId], after: sequenceNumber };
      return save();
    },
    end(shardId: string) {
      state.shards[shardId] = { ...state.shards[shardId], ended: true };
      return save();
    },
  };
}

function read(path: string, name: string): z.infer<typeof File> | undefined {
  try {
    return File.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Error(
      `[mapping ${name}] the checkpoint file ${path} cannot be read. Put back a good copy of it, or delete it: ` +
        'then every record the stream still holds is delivered again, from the oldest on',
      { cause: error },
    );
  }
}

async function write(path: string, state: z.infer<typeof File>) {
  // Its own: one that was believed dead, and writes again, must not spoil the file of the one in its place.
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(JSON.stringify(state, null, 2));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
