/**
 * One script against the stand-in of a service and against each real server that was given. What a server is known to
 * do otherwise stands in differences.ts; there the sentence has to fail, so that no difference is listed in vain.
 */
import { describe, test } from 'vitest';
import { type RealServer, withReal } from '../real/given.ts';
import { differences, type Service } from './differences.ts';

export type Sentence = (says: string, body: () => Promise<void>) => void;
/** Says its sentences at once, none inside a describe, so that it is known which are said. */
type Script = (sentence: Sentence) => void;

export function scenario(
  service: Service,
  standIn: readonly [name: string, script: Script],
  real: Partial<Record<RealServer, (endpoint: string) => Script>>,
): void {
  const [name, script] = standIn;
  describe(name, () => told(service, name, script));
  for (const [server, scriptAt] of Object.entries(real))
    withReal(server as RealServer, (endpoint) => told(service, server, scriptAt(endpoint)));
}

function told(service: Service, server: string, script: Script): void {
  const known = new Map(Object.entries(differences[service][server] ?? {}));
  script((says, body) => {
    const difference = known.get(says);
    known.delete(says);
    if (difference === undefined) test(says, body);
    else test.fails(`${says} (not so: ${difference})`, body);
  });
  for (const says of known.keys()) throw new Error(`${service}, ${server}: no sentence says "${says}".`);
}
