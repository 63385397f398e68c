/** Unpacks a zip: a bare machine has no program for it. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

const endOfDirectory = 0x06054b50;
const deflated = 8;

/** Checksums are not looked at: the whole file's was. */
export async function unzip(file: string, folder: string): Promise<void> {
  const zip = readFileSync(file);
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== endOfDirectory) end -= 1;
  if (end < 0) throw new Error(`${file} is no zip file`);
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    const target = join(folder, name);
    if (relative(folder, target).startsWith('..')) throw new Error(`${file} reaches outside its folder`);
    if (!name.endsWith('/')) {
      const header = zip.readUInt32LE(at + 42);
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, zip.readUInt16LE(at + 10) === deflated ? await inflated(packed) : packed);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

const inflated = promisify<Buffer, Buffer>(inflateRaw);
