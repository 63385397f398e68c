import { type Command, unlimited } from './command.ts';
import { hashCommands } from './hashes.ts';
import { integer, Refusal, unknownCommand, wrongCount } from './refusal.ts';
import type { Reply } from './resp.ts';
import { scriptCommands } from './scripts.ts';

/** What a client asks for before it uses a connection: whether the server is still loading. */
const info = ['# Server', 'redis_version:7.0.15', 'redis_mode:standalone', '# Persistence', 'loading:0', ''];

const serverCommands: Record<string, Command> = {
  ping: [0, 1, (text?: Buffer) => text ?? 'PONG'],
  info: [0, unlimited, () => Buffer.from(info.join('\r\n'))],
  select: [
    1,
    1,
    (index) => {
      if (integer(index) !== 0) throw new Refusal('ERR DB index is out of range');
      return 'OK';
    },
  ],
  quit: [0, unlimited, () => 'OK'],
};

/** Carries out the commands of all connections, on what it holds in memory. */
export function createCommands(now: () => number): (request: [Buffer, ...Buffer[]]) => Reply {
  const carryOut = ([name, ...args]: [Buffer, ...Buffer[]]): Reply => {
    const called = name.toString('latin1').toLowerCase();
    const command = commands.get(called);
    if (command === undefined) throw unknownCommand(name, args);
    const [least, most, run] = command;
    if (args.length < least || args.length > most) throw wrongCount(called);
    return run(...args);
  };
  const commands = new Map(
    Object.entries({ ...serverCommands, ...hashCommands(now), ...scriptCommands(carryOut) }),
  );
  return (request) => {
    try {
      return carryOut(request);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  };
}
