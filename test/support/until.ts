import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until there is an answer, and fails with the question when there was none in time. */
export async function until<Answer>(
  question: string,
  ask: () => Answer | undefined | Promise<Answer | undefined>,
  milliseconds = 60_000,
): Promise<Answer> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`${question}: not within ${milliseconds} ms`);
    await sleep(200);
  }
}
