import { expect, test } from 'vitest';
import { type Level, type LogFields, openLog } from '../src/log.ts';

function written(level: Level, json: boolean, write: (log: ReturnType<typeof openLog>) => void): string[] {
  const lines: string[] = [];
  write(
    openLog({ level, json, now: () => Date.UTC(2026, 10, 20, 12), write: (line) => void lines.push(line) }),
  );
  return lines;
}

test('on Lambda a line is JSON: time, level, message and fields', () => {
  const [line] = written('info', true, (log) => log.warn('a delivery failed', { sink: 'bus', change: 'c1' }));
  expect(JSON.parse(line ?? '')).toEqual({
    time: '2026-11-20T12:00:00.000Z',
    level: 'warn',
    message: 'a delivery failed',
    sink: 'bus',
    change: 'c1',
  });
});

test('elsewhere a line is for people', () => {
  const lines = written('info', false, (log) => log.info('batch', { reader: 'project', records: 3 }));
  expect(lines).toEqual(['12:00:00.000 info  batch reader="project" records=3']);
});

test('only what is as grave as the level is written', () => {
  const all = (log: ReturnType<typeof openLog>) => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
  };
  expect(written('warn', true, all)).toHaveLength(2);
  expect(written('debug', true, all)).toHaveLength(4);
});

test('a field that is not on the list is never written, whatever object it came with', () => {
  const item = {
    change: 'c1',
    email: 'orderShipped',
    to: 'ada@example.com',
    password: 'secret',
  } as LogFields;
  for (const json of [true, false]) {
    const [line] = written('info', json, (log) => log.info('mail', item));
    expect(line).toContain('orderShipped');
    expect(line).not.toMatch(/ada@|secret/);
  }
});

test('nothing in a field can break out of its line or steer a terminal', () => {
  const hostile = 'a\r\nERROR forged \u001b[2J\u0007 \u202Eevil\u2028 \ud800';
  for (const json of [true, false]) {
    const lines = written('info', json, (log) => log.info('batch', { change: hostile }));
    expect(lines).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(lines[0]).not.toMatch(/[\r\n\u001b\u0007]/);
  }
  const [line] = written('info', false, (log) => log.info('batch', { change: hostile }));
  expect(line).not.toMatch(/[\u202E\u2028]/);
  expect(line).toContain('\\u{202e}');
});
