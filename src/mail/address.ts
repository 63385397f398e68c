/**
 * One plain address, as SES takes it: 7-bit (SES has no SMTPUTF8), no name beside it, no second one, no control
 * character that could begin a header. Lengths as in RFC 5321.
 */
const plainAddress =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,189}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$/;

export function isPlainAddress(text: string): boolean {
  return plainAddress.test(text);
}
