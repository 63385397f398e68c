/** What redrive builds on where failed batches lie in a bucket: S3. */
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Failures, openFailures } from '../../src/deliveries/failures.ts';
import { startBuckets } from '../support/bucket.ts';
import { account } from '../support/shop.ts';
import { type Sentence, scenario } from './scenario.ts';

const Bucket = `failures-${Date.now()}`;

scenario('failures', ['stand-in', script()], { ministack: script, moto: script });

function script(given?: string) {
  return (sentence: Sentence) => {
    let client: S3Client;
    let stop = async () => {};
    const opened: Failures[] = [];
    beforeAll(async () => {
      let endpoint = given;
      if (endpoint === undefined) {
        const buckets = await startBuckets(Bucket);
        ({ url: endpoint, stop } = buckets);
      }
      // The client of redrive reads all of this from its environment.
      Object.assign(process.env, {
        AWS_REGION: account.region,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_S3: endpoint,
      });
      client = new S3Client({});
      const LocationConstraint = account.region as 'eu-central-1';
      if (given !== undefined)
        await client.send(
          new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }),
        );
    });
    afterAll(async () => {
      for (const one of opened) one.close();
      client.destroy();
      await stop();
    });

    let count = 0;
    /** A prefix of its own. */
    function place(bucket = Bucket) {
      const prefix = `part-${++count}/`;
      const failures = openFailures(`s3://${bucket}/${prefix}`);
      opened.push(failures);
      return {
        prefix,
        ...failures,
        put: (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body })),
        names: () => Array.fromAsync(failures.list()),
      };
    }

    // As Lambda names them: aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>.
    const named = (prefix: string) =>
      `${prefix}aws/lambda/0f6a/shardId-000-1/2026/11/21/2026-11-21T09.08.24-5b1c`;

    sentence('what lies below the prefix is listed, and nothing else', async () => {
      const { put, names, prefix } = place();
      const other = place();
      await put(named(prefix), '{}');
      await put(named(other.prefix), '{}');
      expect(await names()).toEqual([named(prefix)]);
    });

    sentence('where nothing lies, nothing is listed', async () => {
      expect(await place().names()).toEqual([]);
    });

    sentence('more than a page of names is listed whole', async () => {
      const { put, names, prefix } = place();
      const keys = Array.from({ length: 1_001 }, (_, at) => `${prefix}${String(at).padStart(4, '0')}`);
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => put(key, '{}')));
      expect(await names()).toEqual(keys);
    });

    sentence('it is read as it was written, also a large one', async () => {
      const { put, read, prefix } = place();
      const text = JSON.stringify({ payload: `ä "quoted" \u2028 ${'x'.repeat(6_000_000)}` });
      await put(named(prefix), text);
      expect((await read(named(prefix))) === text).toBe(true);
    });

    sentence('a name may have any characters', async () => {
      const { put, names, read, remove, prefix } = place();
      const key = `${prefix}a b+c&d=ä:e%20f`;
      await put(key, 'odd');
      expect(await names()).toEqual([key]);
      expect(await read(key)).toBe('odd');
      await remove(key);
      expect(await names()).toEqual([]);
    });

    sentence('what is removed is gone, and to remove it again is no failure', async () => {
      const { put, names, read, remove, prefix } = place();
      await put(named(prefix), '{}');
      await remove(named(prefix));
      await remove(named(prefix));
      expect(await names()).toEqual([]);
      await expect(read(named(prefix))).rejects.toMatchObject({ name: 'NoSuchKey' });
    });

    sentence('of a bucket that is not there one is told', async () => {
      await expect(place('nowhere-at-all').names()).rejects.toMatchObject({ name: 'NoSuchBucket' });
    });
  };
}
