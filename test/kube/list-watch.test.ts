// What list and watch make of servers that fail, lie, hang and garble.
import { createClient } from '../../src/kube/client.ts';
import { type KubeObject, objectKey } from '../../src/kube/kube-object.ts';
import { createListWatch, type ListWatchOptions } from '../../src/kube/list-watch.ts';
import { eventually } from './eventually.ts';
import { createFakeClock } from './fake-clock.ts';
import {
  added,
  configMap,
  type FaultyServer,
  list,
  refuse,
  type Respond,
  startFaultyServer,
  watch,
} from './faulty-server.ts';

interface Slim {
  readonly value: string;
}
const slim = (object: KubeObject): Slim => ({ value: (object as unknown as { data: { v?: string } }).data.v ?? '' });
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function run(answers: readonly Respond[], options: Partial<ListWatchOptions<Slim>> = {}) {
  const server = await startFaultyServer(...answers);
  cleanUp.push(() => server.close());
  const client = createClient(server.connection);
  const told: string[] = [];
  const errors: string[] = [];
  const controller = new AbortController();
  const listWatch = createListWatch<Slim>({
    client,
    path: '/api/v1/configmaps',
    slim,
    keyOf: objectKey,
    onUpsert: (key, value, previous) => told.push(`${key}=${value.value}${previous ? ` was ${previous.value}` : ''}`),
    onDelete: (key, previous) => told.push(`${key} deleted, was ${previous.value}`),
    onSynced: () => told.push('synced'),
    onError: (error) => errors.push(String(error)),
    backoff: { baseMs: 2, maxMs: 20 },
    ...options,
  });
  const running = listWatch.run(controller.signal);
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
    client.close();
  };
  cleanUp.push(stop);
  return { server, told, errors, listWatch, stop };
}

const versionsOf = ({ requests }: FaultyServer) =>
  requests.map(({ searchParams }) => (searchParams.has('watch') ? searchParams.get('resourceVersion') : 'list'));
const mapOf = (name: string, version: number, v = '') => configMap(name, version, { v });

test('lists page by page, then watches from the version of the list', async () => {
  const { server, told, listWatch } = await run(
    [
      list(5, [mapOf('a', 1, '1')], 'next page/'),
      list(5, [mapOf('b', 2, '2')]),
      watch([
        added('c', 6, { v: '3' }),
        { type: 'MODIFIED', object: mapOf('a', 7, '9') },
        { type: 'DELETED', object: mapOf('b', 8) },
      ]),
    ],
    { pageSize: 1, query: { labelSelector: 'x=y' }, random: () => 0.5 },
  );
  await eventually('the events arrive', () => told.length === 6);
  expect(told).toEqual([
    'default/a=1',
    'default/b=2',
    'synced',
    'default/c=3',
    'default/a=9 was 1',
    'default/b deleted, was 2',
  ]);
  expect(Object.fromEntries(listWatch.records)).toEqual({ 'default/a': { value: '9' }, 'default/c': { value: '3' } });
  expect([listWatch.synced, listWatch.size]).toEqual([true, 2]);
  expect(server.requests.map((url) => url.search)).toEqual([
    '?labelSelector=x%3Dy&limit=1',
    '?labelSelector=x%3Dy&limit=1&continue=next%20page%2F',
    '?labelSelector=x%3Dy&watch=true&allowWatchBookmarks=true&timeoutSeconds=450&resourceVersion=5',
  ]);
});

test('a list that Go wrote without items is empty', async () => {
  const { listWatch } = await run([list(1, null), watch([])]);
  await eventually('it is synced', () => listWatch.synced);
  expect(listWatch.size).toBe(0);
});

test.each<readonly [string, Respond]>([
  ['429', refuse(429, 'TooManyRequests')],
  ['500', refuse(500, 'InternalError')],
  ['403', refuse(403, 'Forbidden')],
  ['a cut connection', (response) => response.socket?.destroy()],
  ['an ERROR event', watch([{ type: 'ERROR', object: { kind: 'Status', code: 500, message: 'etcd' } }])],
  [
    'a watch that is cut in the middle of a line',
    (response) => response.write('{"type":"ADD', () => response.destroy()),
  ],
  ['a watch that ends', watch([], 'end')],
])('after %s the watch goes on where it was', async (_, failing) => {
  const { server, told } = await run([
    list(5, [mapOf('a', 1)]),
    watch([added('b', 6)], 'end'),
    failing,
    failing,
    watch([added('c', 9)]),
  ]);
  await eventually('the last event arrives', () => told.includes('default/c='));
  expect(versionsOf(server)).toEqual(['list', '5', '6', '6', '6']);
  expect(told).toEqual(['default/a=', 'synced', 'default/b=', 'default/c=']);
});

test('a bookmark moves the place to resume from', async () => {
  const bookmark = { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '77' } } };
  const { server } = await run([list(5, []), watch([bookmark], 'cut'), watch([])]);
  await eventually('the watch begins again', () => server.requests.length === 3);
  expect(versionsOf(server)).toEqual(['list', '5', '77']);
});

test.each<readonly [string, Respond]>([
  ['410', refuse(410, 'Expired')],
  ['an ERROR event of 410', watch([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }])],
  ['an ERROR event that only says Expired', watch([{ type: 'ERROR', object: { kind: 'Status', reason: 'Expired' } }])],
  ['what is not JSON', watch(['{"type":"ADDED","obj', added('x', 6)])],
  ['an event of an unknown type', watch([{ type: 'RENAMED', object: mapOf('x', 6) }])],
  ['an object without version', watch([{ type: 'ADDED', object: { metadata: { name: 'x' } } }])],
  ['400', refuse(400, 'BadRequest')],
])('after %s everything is listed again, and what is missing was deleted', async (_, failing) => {
  const { server, told, errors } = await run(
    [
      list(5, [mapOf('a', 1), mapOf('b', 2), mapOf('c', 3)]),
      failing,
      list(9, [mapOf('a', 1), mapOf('c', 8, 'new')]),
      watch([]),
    ],
    { equal: (one, other) => one.value === other.value },
  );
  await eventually('the second watch begins', () => server.requests.length === 4);
  expect(versionsOf(server)).toEqual(['list', '5', 'list', '9']);
  expect(told.slice(4)).toEqual(['default/c=new was ', 'default/b deleted, was ']);
  expect(errors).toHaveLength(1);
});

test('a list that expires between two pages begins again, and forgets nothing that is there', async () => {
  const { told, listWatch, server } = await run([
    list(5, [mapOf('a', 1), mapOf('b', 1)], 'two'),
    refuse(410, 'Expired'),
    list(7, [mapOf('b', 1)], 'two'),
    list(7, [mapOf('c', 1)]),
    watch([]),
  ]);
  await eventually('it is synced', () => listWatch.synced);
  expect([...listWatch.records.keys()]).toEqual(['default/b', 'default/c']);
  expect(told.slice(-2)).toEqual(['default/a deleted, was ', 'synced']);
  await eventually('the watch begins', () => server.requests.length === 5);
  expect(server.requests[2]?.searchParams.has('continue')).toBe(false);
});

test('pages that are too large are asked for in smaller ones', async () => {
  const huge: Respond = (response) => response.writeHead(200, { 'content-length': String(1 << 30) }).write('{');
  const flood: Respond = (response, request, url) => {
    huge(response, request, url);
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(1 << 20, 32), more);
    };
    more();
  };
  const { server, listWatch } = await run([flood, list(3, [mapOf('a', 1)]), watch([])]);
  await eventually('it is synced', () => listWatch.synced);
  expect(server.requests.slice(0, 2).map(({ searchParams }) => searchParams.get('limit'))).toEqual(['500', '125']);
});

test('an error that comes back on the same version is not resumed from for ever', async () => {
  const failing = watch([{ type: 'ERROR', object: { kind: 'Status', code: 500, message: 'corrupt' } }]);
  const { server } = await run([list(5, []), failing, failing, failing, failing, list(9, []), watch([])]);
  await eventually('the second list is watched', () => server.requests.length === 7);
  expect(versionsOf(server)).toEqual(['list', '5', '5', '5', '5', 'list', '9']);
});

test('however long the server is away, nothing is listed again', async () => {
  const away: readonly Respond[] = [
    (response) => response.socket?.destroy(),
    refuse(503, 'ServiceUnavailable'),
    refuse(401, 'Unauthorized'),
  ];
  const { server } = await run([list(5, []), ...away, ...away, ...away, ...away, watch([])]);
  await eventually('the server is back', () => server.requests.length === 14);
  expect(new Set(versionsOf(server).slice(1))).toEqual(new Set(['5']));
});

test('waits as long as the server asks, and longer with every failure', async () => {
  const clock = createFakeClock();
  const slept: number[] = [];
  const { listWatch } = await run(
    [refuse(500, 'x'), refuse(500, 'x'), refuse(429, 'x', { 'retry-after': '60' }), list(1, []), watch([])],
    {
      clock: {
        now: () => clock.now(),
        sleep: (milliseconds, signal) => {
          if (milliseconds > 25_000 && milliseconds < 31_000) return clock.sleep(milliseconds, signal); // the watchdog
          slept.push(milliseconds);
          return Promise.resolve();
        },
      },
      backoff: { baseMs: 800, maxMs: 30_000 },
      random: () => 1,
    },
  );
  await eventually('it is synced', () => listWatch.synced);
  expect(slept).toEqual([800, 1600, 90_000]);
});

test('a watch that hangs is cut after its time, and resumed', async () => {
  const clock = createFakeClock();
  const { server, told, errors } = await run([list(5, []), watch([]), watch([added('a', 6)])], {
    clock,
    random: () => 0,
  });
  await eventually('the watch begins', () => server.requests.length === 2);
  await clock.advance(300_000);
  expect(server.requests).toHaveLength(2);
  await clock.advance(16_000);
  await eventually('the hanging watch is cut', () => errors.length === 1);
  await eventually('the next watch begins', async () => {
    await clock.advance(1000);
    return told.includes('default/a=');
  });
  expect(errors[0]).toContain('hung');
  expect(versionsOf(server)).toEqual(['list', '5', '5']);
});

test('a watch that ends at once is not asked for without a pause', async () => {
  const clock = createFakeClock();
  const { server } = await run([list(5, []), watch([], 'end')], { clock, backoff: { baseMs: 1000, maxMs: 30_000 } });
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(server.requests.length).toBeGreaterThan(2);
  expect(server.requests.length).toBeLessThan(10);
});

test('handlers that throw are reported and stop nothing', async () => {
  const boom = (): never => {
    throw new Error('boom');
  };
  const progress: string[] = [];
  const { errors, listWatch } = await run(
    [list(5, [mapOf('a', 1)]), watch([{ type: 'DELETED', object: mapOf('a', 6) }, added('b', 7)])],
    {
      onUpsert: boom,
      onDelete: boom,
      onSynced: boom,
      onProgress: (what) => progress.push(what),
    },
  );
  await eventually('the events arrive', () => listWatch.records.has('default/b'));
  expect(errors).toEqual(Array.from({ length: 4 }, () => 'Error: boom'));
  expect(listWatch.size).toBe(1);
  expect(progress).toEqual(['handler-error', 'list', 'handler-error', 'watch', 'handler-error', 'handler-error']);
});

test('an object that cannot be read keeps the record it had', async () => {
  const { errors, listWatch } = await run([
    list(5, [mapOf('a', 1, 'good')]),
    watch([{ type: 'MODIFIED', object: { metadata: { name: 'a', namespace: 'default', resourceVersion: '6' } } }]),
  ]);
  await eventually('the error is reported', () => errors.length === 1);
  expect(Object.fromEntries(listWatch.records)).toEqual({ 'default/a': { value: 'good' } });
});

test('an object that is left out is deleted when it was not', async () => {
  const { told } = await run(
    [list(5, [mapOf('a', 1, 'x')]), watch([{ type: 'MODIFIED', object: mapOf('a', 6, 'out') }])],
    {
      slim: (object) => (slim(object).value === 'out' ? undefined : slim(object)),
    },
  );
  await eventually('it is deleted', () => told.includes('default/a deleted, was x'));
});

test('what is equal is not told', async () => {
  const { told } = await run(
    [list(5, [mapOf('a', 1, 'x')]), watch([{ type: 'MODIFIED', object: mapOf('a', 6, 'x') }, added('b', 7)])],
    { equal: (one, other) => one.value === other.value },
  );
  await eventually('the last event arrives', () => told.includes('default/b='));
  expect(told).toEqual(['default/a=x', 'synced', 'default/b=']);
});

describe('a streaming list', () => {
  const end = (version: number) => ({
    type: 'BOOKMARK',
    object: { metadata: { resourceVersion: String(version), annotations: { 'k8s.io/initial-events-end': 'true' } } },
  });

  test('is complete with its bookmark, and goes on as a watch', async () => {
    const { server, told } = await run(
      [watch([added('b', 9), added('a', 3), end(10), added('c', 11)], 'cut'), watch([])],
      {
        watchList: true,
      },
    );
    await eventually('the watch is resumed', () => server.requests.length === 2);
    expect(told).toEqual(['default/b=', 'default/a=', 'synced', 'default/c=']);
    expect(server.requests[0]?.search).toContain('sendInitialEvents=true&resourceVersionMatch=NotOlderThan');
    expect(versionsOf(server)).toEqual([null, '11']);
  });

  test('that is cut before its end begins again', async () => {
    const { server, told } = await run([watch([added('b', 9)], 'cut'), watch([added('a', 3), end(10)])], {
      watchList: true,
    });
    await eventually('it is synced', () => told.includes('synced'));
    expect(versionsOf(server)).toEqual([null, null]);
    expect(told).toEqual(['default/b=', 'default/a=', 'default/b deleted, was ', 'synced']);
  });

  test.each([400, 422])('that is refused with %d becomes pages', async (status) => {
    const { server, told } = await run([refuse(status, 'Invalid'), list(5, [mapOf('a', 1)]), watch([])], {
      watchList: true,
    });
    await eventually('the watch begins', () => server.requests.length === 3);
    expect(told).toEqual(['default/a=', 'synced']);
    expect(versionsOf(server)).toEqual([null, 'list', '5']);
  });

  test('that has nothing to say any more becomes pages', async () => {
    const clock = createFakeClock();
    const { server, listWatch } = await run([watch([added('a', 1)]), list(5, []), watch([])], {
      watchList: true,
      clock,
    });
    await eventually('it is synced', async () => {
      await clock.advance(5000);
      return listWatch.synced;
    });
    expect(versionsOf(server).slice(0, 2)).toEqual([null, 'list']);
  });
});

test('stops at once, and closes its connection', async () => {
  const { server, listWatch, stop } = await run([list(1, []), watch([])]);
  await eventually('the watch is open', () => server.requests.length === 2 && listWatch.synced);
  await stop();
  await eventually('the connections close', () => server.openConnections === 0);
});
