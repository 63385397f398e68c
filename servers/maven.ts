/** Where Maven artifacts come from: Maven Central, or the mirror of it that the user's own settings name. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type Repository = { url: string; headers: Record<string, string> };

const central: Repository = { url: 'https://repo.maven.apache.org/maven2', headers: {} };

export function mavenRepository(settings = join(homedir(), '.m2/settings.xml')): Repository {
  let text: string;
  try {
    text = readFileSync(settings, 'utf8').replace(/<!--.*?-->/gs, '');
  } catch {
    return central; // no settings of their own
  }
  const mirror = elements(text, 'mirror').find((one) => isOfCentral(element(one, 'mirrorOf')));
  if (mirror === undefined) return central;
  const id = element(mirror, 'id');
  const server = elements(text, 'server').find((one) => element(one, 'id') === id) ?? '';
  const [username, password] = [element(server, 'username'), element(server, 'password')];
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return {
    url: element(mirror, 'url').replace(/\/$/, ''),
    headers: username === '' ? {} : { authorization: `Basic ${basic}` },
  };
}

/** https://maven.apache.org/guides/mini/guide-mirror-settings.html */
function isOfCentral(mirrorOf: string): boolean {
  const names = mirrorOf.split(',').map((name) => name.trim());
  return !names.includes('!central') && names.some((name) => ['central', '*', 'external:*'].includes(name));
}

function elements(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, inner = '']) => inner);
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function element(text: string, name: string): string {
  const inner = elements(text, name)[0]?.trim() ?? '';
  return inner
    .replace(/\$\{env\.(\w+)\}/g, (_, variable: string) => process.env[variable] ?? '')
    .replace(/&(\w+);/g, (whole, entity: string) => entities[entity] ?? whole);
}
