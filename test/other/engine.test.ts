/** The engine is for everybody's table: the same suite on the shop and on an app that shares nothing with it. */
import { afterAll, beforeAll, describe } from 'vitest';
import { type OtherHome, openOther } from './kit.ts';
import { samples } from './samples.ts';
import { decodeSuite } from './suite/decode.ts';
import { proofSuite } from './suite/proof.ts';
import { sinksSuite } from './suite/sinks.ts';
import { writesSuite } from './suite/writes.ts';

describe.each(samples)('$name', (sample) => {
  let world: OtherHome;
  beforeAll(async () => {
    world = await openOther(sample.app);
  });
  afterAll(() => world.stop());

  describe('writes', () => writesSuite(sample, () => world));
  describe('decodes', () => decodeSuite(sample, () => world));
  describe('takes changes to every sink', () => sinksSuite(sample, () => world));
});

describe.each(samples)('$name at home', (sample) => proofSuite(sample));
