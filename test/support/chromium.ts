import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's package `chromium`; no other is asked for. */
const EXECUTABLE = '/usr/bin/chromium';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why there is no browser, or undefined. In CI there must be one. */
export function missingChromium(): string | undefined {
  if (existsSync(EXECUTABLE)) return undefined;
  const reason = `no ${EXECUTABLE}: apt-get install chromium`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** A browser with a profile of its own that goes away with it. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}
