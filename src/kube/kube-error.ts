/** The `Status` object the API server answers with when it refuses. */
export interface KubeStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly unknown[] };
}

export interface KubeErrorDetails {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `Status.reason`, or one of our own: `NetworkError`, `Timeout`, `Aborted`, `ResponseTooLarge`, `MalformedResponse`. */
  readonly reason: string;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** A request that did not succeed. The message names the method, the path, and what the server or the network said. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, { status, reason, retryAfterSeconds, cause }: KubeErrorDetails) {
    super(message, { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The object does not exist, or its resource is not served. */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** Somebody else changed the object, owns the field, or made an object of that name first. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409;
}

/** The namespace of the object is being deleted and takes nothing new, or is gone already. */
export function isEnding(error: unknown): boolean {
  if (isNotFound(error)) return true;
  return error instanceof KubeError && error.status === 403 && error.message.includes('being terminated');
}

/** The resource version or the continue token is older than what the server keeps. */
export function isGone(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}

/** The server asks for fewer requests. */
export function isTooMany(error: unknown): boolean {
  return error instanceof KubeError && error.status === 429;
}

const LONGEST_MESSAGE = 2000;

/** Seconds. API servers ask for one to a few; whoever asks for a day on the way must not keep us away for one. */
const LONGEST_RETRY_AFTER = 300;

/** What a refusal says: its `Status` object, or the beginning of whatever a proxy answered. */
export function refusal(request: string, status: number, body: string, retryAfter?: string): KubeError {
  const parsed = parseStatus(body);
  const said = parsed?.message ?? (body.slice(0, 200).trim() || 'no message');
  const asked = retryAfterOf(retryAfter) ?? parsed?.details?.retryAfterSeconds;
  const retryAfterSeconds = asked === undefined ? undefined : Math.min(asked, LONGEST_RETRY_AFTER);
  return new KubeError(`${request}: ${status} ${said.slice(0, LONGEST_MESSAGE)}`, {
    status,
    reason: parsed?.reason ?? '',
    retryAfterSeconds,
  });
}

/** An `ERROR` event of a watch as the error it stands for. */
export function statusError(request: string, status: KubeStatus): KubeError {
  const code = typeof status.code === 'number' ? status.code : 500;
  return refusal(request, code, JSON.stringify(status));
}

/** A request that got no answer, or not all of it. */
export function networkError(request: string, cause: unknown, reason = 'NetworkError', status = 0): KubeError {
  return new KubeError(`${request}: ${describe(cause)}`, { status, reason, cause });
}

/** When all addresses of a host refuse, Node.js says so in an AggregateError with an empty message. */
function describe(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(describe).join(', ');
  return cause instanceof Error ? cause.message : String(cause);
}

function parseStatus(body: string): KubeStatus | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
      ? (value as KubeStatus)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds; the API server never sends the date form of RFC 9110, and a proxy's would need a common clock. */
function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
