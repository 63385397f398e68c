/** The environment of all that the check starts: dummy credentials and loopback, whatever the user's own says. */

/** Throws for an endpoint that is not of this machine. */
export function sealed(environment: NodeJS.ProcessEnv, endpoint: string): Record<string, string> {
  if (!isLoopback(endpoint))
    throw new Error(`The check runs against this machine only, and ${endpoint} is none of its addresses.`);
  const kept = Object.entries(environment).filter(([name]) => !/^(AWS|SLUICE|SLS|SERVERLESS)_/.test(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    SLS_AWS_MONITORING_FREQUENCY: '200', // osls asks every 5 s otherwise
  };
}

/** Of the mock; no request leaves the machine for it. */
export const region = 'eu-central-1';

export function isLoopback(url: string): boolean {
  const { hostname = '' } = URL.parse(url) ?? {};
  return /^127(\.\d+){3}$|^\[::1\]$/.test(hostname);
}

/** Makes it this process's own, so that no client here reads anything else. */
export function enter(environment: Record<string, string>): void {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}
