/** Thrown by the YAML and JSON readers: the text cannot be read. `offset` counts UTF-16 units from the start of the text. */
export interface SyntaxFault extends Error {
  readonly offset: number;
  /** Where the construct began that could not be finished: the opening quote, the `[`. */
  readonly openedAt?: number;
}

const FAULT = 'ManifestSyntaxError';

export function syntaxFault(offset: number, message: string, openedAt?: number): SyntaxFault {
  const details = openedAt === undefined || openedAt === offset ? { offset } : { offset, openedAt };
  return Object.assign(new Error(message), { name: FAULT }, details);
}

export function isSyntaxFault(error: unknown): error is SyntaxFault {
  return error instanceof Error && error.name === FAULT;
}
