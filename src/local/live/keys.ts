/** Single keys, where there is a terminal to press them in. */
import type { ReadStream } from 'node:tty';

/** Calls `press` for each key; gives the way back to lines. Without a terminal nothing is read. */
export function readKeys(input: ReadStream | NodeJS.ReadStream, press: (key: string) => void): () => void {
  if (!input.isTTY) return () => {};
  const onData = (data: Buffer) => {
    for (const key of data.toString()) press(key);
  };
  input.setRawMode(true);
  input.on('data', onData);
  input.resume();
  return () => {
    input.off('data', onData);
    input.setRawMode(false);
    input.pause();
  };
}
