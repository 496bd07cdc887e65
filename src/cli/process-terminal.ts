import { fstatSync, writeSync } from 'node:fs';
import { styleText } from 'node:util';
import type { Paint, Style } from '../report/paint.ts';
import type { Terminal } from './terminal.ts';

/** Put in by the bundler. */
declare const __VERSION__: string;

const STYLES: Readonly<Record<Style, Parameters<typeof styleText>[0]>> = {
  heading: 'bold',
  strong: 'bold',
  good: 'green',
  bad: 'red',
  doubt: 'yellow',
  dim: 'gray',
};

const STDOUT = 1;
const STDERR = 2;

/**
 * What commands over files know of this process. They write to descriptors: making the streams of `process` takes a sixth of the
 * time of a small scan, and only a terminal needs one, to be asked for its colors.
 */
export function processTerminal(): Terminal {
  return {
    paint: mayBeTerminal(STDOUT) ? paint : (_, text) => text,
    cwd: process.cwd(),
    today: new Date().toISOString().slice(0, 10),
    version: __VERSION__,
    watched: mayBeTerminal(STDERR) && process.stderr.isTTY,
    print: (text) => {
      writeWhole(STDOUT, text);
    },
    tell: (text) => {
      writeWhole(STDERR, text);
    },
  };
}

/** Colors never with NO_COLOR set: styleText asks the stream. */
const paint: Paint = (style, text) => styleText(STYLES[style], text, { stream: process.stdout });

function mayBeTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false;
  }
}

/** Who waits on the other end of a full pipe is waited for; one that has seen enough, such as head, is no error. */
function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
