/** What a caller is told instead of an answer: a named AWS error. */
export class Fault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export const notValid = (message: string): Fault => new Fault('ValidationException', message);
export const notFound = (message: string): Fault => new Fault('ResourceNotFoundException', message);
