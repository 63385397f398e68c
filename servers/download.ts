/** Files from Maven Central, each checked against what is pinned here. */
import { createHash } from 'node:crypto';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Repository } from './maven.ts';

// Where a company's own proxy stands before the network, the system knows its certificate; Node by itself does not.
setDefaultCACertificates([...getCACertificates('default'), ...getCACertificates('system')]);

const tries = 3;
const stallMilliseconds = 30_000;

export type Progress = (bytes: number, length: number) => void;

/** It stands under its name only once it is whole, and what it should be. */
export async function download(
  { url, headers }: Repository,
  path: string,
  sha256: string,
  file: string,
  progress: Progress,
): Promise<void> {
  for (let left = tries; ; left -= 1) {
    try {
      await fetched(`${url}/${path}`, headers, sha256, file, progress);
      return;
    } catch (error) {
      rmSync(`${file}.part`, { force: true });
      const { message, cause } = error as Error;
      const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
      if (left === 1) throw new Error(`${path} could not be downloaded from ${new URL(url).host}: ${reason}`);
      await wait(1_000);
    }
  }
}

async function fetched(
  url: string,
  headers: Record<string, string>,
  sha256: string,
  file: string,
  progress: Progress,
) {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new Error('nothing came for 30 s')), stallMilliseconds);
  try {
    const { ok, status, body, headers: told } = await fetch(url, { headers, signal: stall.signal });
    if (!ok || body === null) throw new Error(`status ${status}`);
    const hash = createHash('sha256');
    const length = Number(told.get('content-length') ?? 0);
    await pipeline(
      Readable.fromWeb(body),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          timer.refresh();
          hash.update(chunk);
          progress(chunk.length, length);
          yield chunk;
        }
      },
      createWriteStream(`${file}.part`),
    );
    if (hash.digest('hex') !== sha256) throw new Error('it is not the file whose checksum is pinned');
    renameSync(`${file}.part`, file);
  } finally {
    clearTimeout(timer);
  }
}

/** A line about all that is coming, every two seconds. */
export function reporter(what: string, total: number, say: (line: string) => void): Progress {
  let come = 0;
  let next = Date.now() + 2_000;
  return (bytes) => {
    come += bytes;
    if (Date.now() < next) return;
    next = Date.now() + 2_000;
    say(`${what}: ${megabytes(come)} of ${megabytes(total)} MB`);
  };
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000);
}
