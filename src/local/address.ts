/** An endpoint as it may be shown and kept: the password that it may hold is nobody's business. */
export function withoutPassword(endpoint: string): string {
  const url = new URL(endpoint);
  url.username = '';
  url.password = '';
  return url.href;
}
