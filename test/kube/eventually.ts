import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the condition holds; fails with its description when it never did. */
export async function eventually(what: string, condition: () => unknown, milliseconds = 20_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${milliseconds} ms`);
    await sleep(5);
  }
}
