const NEWLINE = 10;

/** An event carries one object, which etcd keeps below 1.5 MB; a line without end is no event. */
const MAX_LINE_BYTES = 32 << 20;

/**
 * Cuts a stream of bytes into lines. Every byte is searched and copied once, however a line is cut into chunks.
 * @throws RangeError for a line longer than `maxBytes`
 */
export function createLineSplitter(maxBytes = MAX_LINE_BYTES): {
  /** The lines that this chunk completes, without their ends. */
  push(chunk: Buffer): readonly Buffer[];
  /** Bytes of a line that is not complete. */
  readonly pending: number;
} {
  let parts: Buffer[] = [];
  let pending = 0;

  function complete(tail: Buffer): Buffer {
    if (pending === 0) return tail;
    const line = Buffer.concat([...parts, tail], pending + tail.length);
    parts = [];
    pending = 0;
    return line;
  }

  return {
    get pending() {
      return pending;
    },
    push(chunk) {
      const lines: Buffer[] = [];
      let start = 0;
      for (;;) {
        const end = chunk.indexOf(NEWLINE, start);
        if (end < 0) break;
        lines.push(complete(chunk.subarray(start, end)));
        start = end + 1;
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start));
        pending += chunk.length - start;
        if (pending > maxBytes) throw new RangeError(`a line of the watch is longer than ${maxBytes} bytes`);
      }
      return lines;
    },
  };
}
