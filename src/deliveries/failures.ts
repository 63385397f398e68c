/**
 * The last net: batches that a function failed until Lambda gave up lie whole in the on-failure destination, a bucket
 * of S3 or locally a folder. Redrive takes them up again.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';

export type Failures = {
  /** The names of all that lies there. */
  list(): AsyncIterable<string>;
  read(name: string): Promise<string>;
  /** It has been taken up. */
  remove(name: string): Promise<void>;
  close(): void;
};

/** `place`: `s3://bucket/prefix`, or `file:///folder`. */
export function openFailures(place: string): Failures {
  const { protocol, hostname, pathname } = new URL(place);
  return protocol === 's3:' ? inBucket(hostname, pathname.slice(1)) : inFolder(decodeURIComponent(pathname));
}

function inBucket(Bucket: string, Prefix: string): Failures {
  const client = new S3Client({});
  return {
    async *list() {
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix }))
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
    },
    async read(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToString()) ?? '';
    },
    async remove(Key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
    close: () => client.destroy(),
  };
}

function inFolder(folder: string): Failures {
  return {
    async *list() {
      const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of found)
        if (entry.isFile() && entry.name.endsWith('.json')) yield join(entry.parentPath, entry.name);
    },
    read: (path) => readFile(path, 'utf8'),
    remove: (path) => rm(path, { force: true }),
    close() {},
  };
}

/** Puts a failed batch into a folder, in the form that Lambda gives an object in S3. */
export async function writeFailure(folder: string, failure: FailedBatch): Promise<void> {
  const { functionName, shardId, startSequenceNumber, endSequenceNumber, condition, count, records } =
    failure;
  const path = join(folder, `${functionName}-${shardId}-${startSequenceNumber}.json`);
  const content = {
    requestContext: {
      functionArn: `arn:aws:lambda:local:000000000000:function:${functionName}`,
      condition,
      approximateInvokeCount: count,
    },
    version: '1.0',
    DDBStreamBatchInfo: { shardId, startSequenceNumber, endSequenceNumber, batchSize: records.length },
    payload: JSON.stringify({ Records: records }),
  };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, JSON.stringify(content));
  await rename(`${path}.part`, path);
}

type FailedBatch = {
  functionName: string;
  shardId: string;
  startSequenceNumber: string;
  endSequenceNumber: string;
  condition: string;
  count: number;
  records: readonly unknown[];
};
