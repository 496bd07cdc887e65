import { backoffDelay, createBackoff } from '../../src/kube/backoff.ts';
import { createWorkQueue, type WorkQueueOptions, type WorkResult } from '../../src/kube/work-queue.ts';
import { createFakeClock } from './fake-clock.ts';

describe('backoff', () => {
  const limits = { baseMs: 100, maxMs: 1000 };

  test('doubles with every failure up to the longest, half of it random', () => {
    const delays = (random: number) => [1, 2, 3, 4, 5, 60].map((count) => backoffDelay(count, limits, () => random));
    expect(delays(0)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(delays(1)).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  test('begins again after a success', () => {
    const backoff = createBackoff(limits, () => 1);
    expect([backoff.next(), backoff.next()]).toEqual([100, 200]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });
});

/** A queue whose handlers wait to be told how they end. */
function setUp(options: Partial<WorkQueueOptions> = {}) {
  const clock = createFakeClock();
  const begun: string[] = [];
  const pending: { readonly key: string; readonly end: (error?: Error, requeueAfterMs?: number) => Promise<void> }[] =
    [];
  const errors: string[] = [];
  const queue = createWorkQueue({
    clock,
    random: () => 1,
    backoff: { baseMs: 100, maxMs: 400 },
    onError: (error, key, failures) => errors.push(`${key} ${failures} ${String(error)}`),
    handle: (key) =>
      new Promise<WorkResult | undefined>((resolve, reject) => {
        begun.push(key);
        pending.push({
          key,
          async end(error, requeueAfterMs) {
            if (error) reject(error);
            else resolve(requeueAfterMs === undefined ? undefined : { requeueAfterMs });
            await clock.advance(0);
          },
        });
      }),
    ...options,
  });
  return { clock, queue, begun, pending, errors };
}

describe('work queue', () => {
  test('holds a key once, however often it is added', async () => {
    const { queue, begun, clock } = setUp();
    for (const key of ['a', 'b', 'a', 'b']) queue.add(key);
    await clock.advance(0);
    expect([begun, queue.depth, queue.active]).toEqual([['a'], 1, 1]);
  });

  test('never handles a key twice at once, and again when it was added meanwhile', async () => {
    const { queue, begun, pending, clock } = setUp({ concurrency: 5 });
    queue.add('a');
    await clock.advance(0);
    queue.add('a');
    queue.add('a');
    await clock.advance(0);
    expect(begun).toEqual(['a']);
    await pending[0]?.end();
    expect(begun).toEqual(['a', 'a']);
    await pending[1]?.end();
    expect([begun.length, queue.depth, queue.active]).toEqual([2, 0, 0]);
  });

  test('handles no more keys at once than it may', async () => {
    const { queue, begun, pending, clock } = setUp({ concurrency: 2 });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b']);
    await pending[1]?.end();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  test('tries a key that failed again, later each time, and from the beginning after a success', async () => {
    const { queue, begun, pending, clock, errors } = setUp();
    queue.add('a');
    await clock.advance(0);
    for (const [index, delay] of [100, 200, 400, 400].entries()) {
      await pending[index]?.end(new Error('no'));
      await clock.advance(delay - 1);
      expect(begun).toHaveLength(index + 1);
      await clock.advance(1);
      expect(begun).toHaveLength(index + 2);
    }
    expect(errors).toEqual([1, 2, 3, 4].map((count) => `a ${count} Error: no`));
    await pending[4]?.end();
    queue.add('a');
    await clock.advance(0);
    await pending[5]?.end(new Error('no'));
    await clock.advance(100);
    expect(begun).toHaveLength(7);
  });

  test('a key that failed is handled at once when it is added', async () => {
    const { queue, begun, pending, clock } = setUp();
    queue.add('a');
    await clock.advance(0);
    await pending[0]?.end(new Error('no'));
    queue.add('a');
    await clock.advance(0);
    expect(begun).toHaveLength(2);
    await pending[1]?.end();
    await clock.advance(1000);
    expect(begun).toHaveLength(2);
  });

  test('of two times the earlier counts', async () => {
    const { queue, begun, clock } = setUp();
    queue.addAfter('a', 500);
    queue.addAfter('a', 200);
    queue.addAfter('a', 900);
    await clock.advance(199);
    expect(begun).toEqual([]);
    await clock.advance(1);
    expect(begun).toEqual(['a']);
    await clock.advance(2000);
    expect([begun.length, clock.sleepers]).toEqual([1, 0]);
  });

  test('handles a key again when the handler asks for it', async () => {
    const { queue, begun, pending, clock } = setUp();
    queue.add('a');
    await clock.advance(0);
    await pending[0]?.end(undefined, 300);
    await clock.advance(299);
    expect(begun).toHaveLength(1);
    await clock.advance(1);
    expect(begun).toHaveLength(2);
  });

  test('drains when the last handler has ended', async () => {
    const { queue, pending, clock } = setUp();
    let drained = false;
    for (const key of ['a', 'b']) queue.add(key);
    void queue.drain().then(() => (drained = true));
    await clock.advance(0);
    await pending[0]?.end();
    expect(drained).toBe(false);
    await pending[1]?.end();
    expect(drained).toBe(true);
  });

  test('stops: tells its handlers, waits for them, takes nothing more', async () => {
    const clock = createFakeClock();
    const begun: string[] = [];
    const queue = createWorkQueue({
      clock,
      handle: async (key, signal) => {
        begun.push(key);
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      },
    });
    for (const key of ['a', 'b']) queue.add(key);
    queue.addAfter('c', 10);
    await clock.advance(0);
    await queue.stop();
    queue.add('d');
    queue.addAfter('e', 1);
    await clock.advance(100);
    expect([begun, queue.active, queue.depth, clock.sleepers]).toEqual([['a'], 0, 0, 0]);
  });
});
