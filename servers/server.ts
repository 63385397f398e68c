/** What each real server says of itself; the rest is the same for all. */

/** A program that runs on after we ended. */
export type Command = {
  program: string;
  args: string[];
  environment?: Record<string, string>;
  /** Where it runs, if not in the server's folder. */
  cwd?: string;
};

/** What is done where: `folder` is the server's own and goes with it. */
type Place = { ports: readonly number[]; folder: string };

/** Where what is downloaded lies, and who is told how far it is. */
export type Source = { cache: string; say(line: string): void };

/** What several of them need is brought once. */
export type Tools = Source & {
  /** The program of a Java that is new enough. */
  java(): Promise<string>;
  /** The program of Redis. */
  redis(): Promise<string>;
};

export type Server = {
  title: string;
  /** How many ports it listens on; the first is the one to give. */
  ports: number;
  endpoint(ports: readonly number[]): string;
  /** Brings what is missing here; gives how it is started. */
  prepare(tools: Tools): Promise<(place: Place) => Command[]>;
  isHealthy(ports: readonly number[]): Promise<boolean>;
  /** What is to be done once, when it is healthy for the first time. */
  settle?(ports: readonly number[]): Promise<void>;
  isSettled?(ports: readonly number[]): Promise<boolean>;
  /** Called when it has ended as it should, before its folder goes. */
  keep?(folder: string, cache: string): void;
};

/** Whether it answers as it should; one that hangs does not. */
export async function answers(url: string, status = 200): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status === status;
  } catch {
    return false;
  }
}
