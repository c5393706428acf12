/** The input is well-formed, and lacks what the question needs. */
export class MissingError extends Error {
  override readonly name: string = 'MissingError';
}
