import { type Unread, unread } from '../core/reading.ts';

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ESRCH']);
const DENIED = new Set(['EACCES', 'EPERM']);

/** Turns an error of a file operation into a reading with its reason. */
export function unreadFromError(source: string, error: unknown): Unread {
  const code = errorCode(error);
  if (ABSENT.has(code)) return unread(source, 'absent', code === 'ESRCH' ? 'the process is gone' : 'no such file');
  if (DENIED.has(code)) return unread(source, 'denied', code);
  if (code === 'EISDIR') return unread(source, 'malformed', 'is a directory');
  if (code === 'ELOOP') return unread(source, 'malformed', 'too many symbolic links');
  return unread(source, 'io-error', code);
}

/** By its shape and not `instanceof`: errors of Node's own modules belong to another realm where jest runs the code. */
function errorCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : String(error);
}
