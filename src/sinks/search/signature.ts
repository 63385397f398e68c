/**
 * AWS Signature Version 4 of a request, with the body's hash in a header, without which Serverless refuses it. The
 * client's own signer would bring a package of the SDK into the bundle that Lambda does not promise.
 * (IAM user guide, Create a signed AWS API request.)
 */
import { createHash, createHmac } from 'node:crypto';

export type Signed = {
  method: string;
  host: string;
  /** As it is sent, with what follows "?". */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
};

export type Signer = {
  region: string;
  /** `es`: a domain of OpenSearch Service; `aoss`: a Serverless collection. */
  service: 'es' | 'aoss';
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined };
  now: number;
};

const algorithm = 'AWS4-HMAC-SHA256';

/** Others may be changed on the way. */
const unsigned = new Set(['authorization', 'connection', 'user-agent', 'expect']);

/** The headers that the request is to bear, its own among them. */
export function sign(request: Signed, { region, service, credentials, now }: Signer): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    ...lowerCased(request.headers),
    host: request.host,
    'x-amz-content-sha256': sha256(request.body),
    'x-amz-date': time,
    ...(sessionToken !== undefined && sessionToken !== '' && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers)
    .filter((name) => !unsigned.has(name))
    .sort();
  const [path = '', query = ''] = request.path.split('?');
  const canonical = [
    request.method,
    path.split('/').map(encoded).join('/'), // it is encoded as it is sent: here once more, for all services but S3
    canonicalQuery(query),
    ...names.map((name) => `${name}:${headers[name]?.trim().replaceAll(/ +/g, ' ')}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const text = [algorithm, time, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  const parts = [`Credential=${accessKeyId}/${scope.join('/')}`, `SignedHeaders=${names.join(';')}`];
  return { ...headers, authorization: `${algorithm} ${parts.join(', ')}, Signature=${signature}` };
}

function canonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)].map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.sort().join('&');
}

/** RFC 3986, which leaves fewer signs alone. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
