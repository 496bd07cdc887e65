// Leader election: the rules under a fake clock, and two candidates at a real API server.
import { createClient, type KubeClient } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import { type LeaderElectionOptions, runLeaderElection } from '../../src/kube/lease.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { eventually } from './eventually.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';

interface StoredLease {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseTransitions: number;
    readonly leaseDurationSeconds: number;
    readonly renewTime: string;
  };
}

/** One lease with the conflicts of an API server; `fault` makes requests fail or hang. */
function createStore() {
  let lease: StoredLease | undefined;
  let version = 0;
  const store = {
    fault: undefined as 'fail' | 'hang' | undefined,
    writes: 0,
    get lease() {
      return lease;
    },
    overwrite(spec: Partial<StoredLease['spec']>): void {
      if (lease)
        lease = {
          metadata: { ...lease.metadata, resourceVersion: String((version += 1)) },
          spec: { ...lease.spec, ...spec },
        };
    },
  };
  async function reach(signal?: AbortSignal): Promise<void> {
    if (store.fault === 'fail') throw new KubeError('down', { status: 0, reason: 'NetworkError' });
    if (store.fault === 'hang') {
      await new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new KubeError('aborted', { status: 0, reason: 'Aborted' }));
        });
      });
    }
  }
  const refuse = (status: number): never => {
    throw new KubeError(`refused with ${status}`, { status, reason: '' });
  };
  function write(body: unknown): StoredLease {
    store.writes += 1;
    const { metadata, spec } = body as StoredLease;
    lease = { metadata: { name: metadata.name, resourceVersion: String((version += 1)) }, spec };
    return lease;
  }
  const client = {
    async get(_path: string, _query: unknown, signal?: AbortSignal) {
      await reach(signal);
      return lease ?? refuse(404);
    },
    async create(_path: string, body: unknown, options?: { readonly signal?: AbortSignal | undefined }) {
      await reach(options?.signal);
      return lease ? refuse(409) : write(body);
    },
    async update(_path: string, body: unknown, options?: { readonly signal?: AbortSignal | undefined }) {
      await reach(options?.signal);
      if ((body as StoredLease).metadata.resourceVersion !== lease?.metadata.resourceVersion) refuse(409);
      return write(body);
    },
  } as unknown as Pick<KubeClient, 'get' | 'create' | 'update'>;
  return { store, client };
}

const controllers: AbortController[] = [];
// Also after a test that failed: a candidate would try for ever.
afterEach(() => {
  for (const controller of controllers.splice(0)) controller.abort();
});

function candidate(
  identity: string,
  client: LeaderElectionOptions['client'],
  clock: FakeClock | undefined,
  more: Partial<LeaderElectionOptions> = {},
) {
  const told: string[] = [];
  const controller = new AbortController();
  controllers.push(controller);
  const state = { leading: false, ended: false };
  const running = runLeaderElection(
    {
      ...{ client, namespace: 'default', name: 'leader', identity, random: () => 0 },
      ...(clock ? { clock } : {}),
      lead: (signal) =>
        new Promise((resolve) => {
          told.push('leads');
          state.leading = true;
          signal.addEventListener('abort', () => {
            state.leading = false;
            told.push('stops');
            resolve();
          });
        }),
      onLost: () => told.push('lost'),
      onError: () => told.push('error'),
      ...more,
    },
    controller.signal,
  ).finally(() => (state.ended = true));
  running.catch(() => undefined);
  return {
    told,
    state,
    running,
    /** As on SIGTERM. */
    stop: () => {
      controller.abort();
    },
  };
}

describe('leader election', () => {
  test('one leads and renews, the other waits', async () => {
    const clock = createFakeClock();
    const { store, client } = createStore();
    const a = candidate('a', client, clock);
    await clock.advance(0);
    const b = candidate('b', client, clock);
    await clock.advance(60_000);
    expect([a.told, b.told]).toEqual([['leads'], []]);
    expect(store.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0, leaseDurationSeconds: 15 });
    expect(store.lease?.spec.renewTime).toMatch(/^20\d\d-.*\.\d{6}Z$/);
    expect(store.writes).toBe(31);
    a.stop();
    b.stop();
    await clock.advance(10_000);
    expect([a.state.ended, b.state.ended, clock.sleepers]).toEqual([true, true, 0]);
  });

  test('a leader that stops hands over at the next attempt', async () => {
    const clock = createFakeClock();
    const { store, client } = createStore();
    const a = candidate('a', client, clock);
    await clock.advance(0);
    const b = candidate('b', client, clock);
    await clock.advance(5000);
    a.stop();
    await clock.advance(0);
    expect(a.told).toEqual(['leads', 'stops']);
    expect(store.lease?.spec.holderIdentity).toBe('');
    await clock.advance(2000);
    expect(b.told).toEqual(['leads']);
    expect(store.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    b.stop();
  });

  test('a leader that is gone is replaced after the duration of its lease, seen by the own clock', async () => {
    const clock = createFakeClock();
    const { store, client } = createStore();
    const gone = candidate('gone', client, clock);
    await clock.advance(0);
    gone.stop();
    await clock.advance(0);
    // As a holder whose clock is a year ahead would have left it.
    store.overwrite({ holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2099-01-01T00:00:00.000000Z' });
    const b = candidate('b', client, clock);
    await clock.advance(14_000);
    expect(b.told).toEqual([]);
    await clock.advance(2000);
    expect(b.told).toEqual(['leads']);
    b.stop();
  });

  test.each(['fail', 'hang'] as const)(
    'a leader that cannot renew stops before another may start (requests %s)',
    async (fault) => {
      const clock = createFakeClock();
      const { store, client } = createStore();
      const a = candidate('a', client, clock);
      await clock.advance(1000);
      store.fault = fault;
      await clock.advance(8000);
      expect(a.state.leading).toBe(true);
      await clock.advance(3000);
      expect(a.state.leading).toBe(false);
      expect(a.told.filter((what) => what !== 'error')).toEqual(['leads', 'stops', 'lost']);
      store.fault = undefined;
      await clock.advance(20_000);
      expect(a.state.leading).toBe(true);
      a.stop();
    },
  );

  test('a leader whose lease was taken stops at once, and never writes over it', async () => {
    const clock = createFakeClock();
    const { store, client } = createStore();
    const a = candidate('a', client, clock);
    await clock.advance(1000);
    store.overwrite({ holderIdentity: 'thief' });
    await clock.advance(6000);
    expect(a.told).toEqual(['leads', 'error', 'stops', 'lost']);
    expect(store.lease?.spec.holderIdentity).toBe('thief');
    a.stop();
  });

  test('the lease is kept until the work has ended', async () => {
    const clock = createFakeClock();
    const { store, client } = createStore();
    let finish = (): void => undefined;
    const a = candidate('a', client, clock, { lead: () => new Promise((resolve) => (finish = resolve)) });
    await clock.advance(1000);
    a.stop();
    await clock.advance(30_000);
    expect(store.lease?.spec.holderIdentity).toBe('a');
    const b = candidate('b', client, clock);
    await clock.advance(30_000);
    expect(b.told).toEqual([]);
    finish();
    await clock.advance(4000);
    expect(b.told).toEqual(['leads']);
    b.stop();
  });

  test('work that fails ends the election, with the lease given up', async () => {
    const clock = createFakeClock();
    const { store, client } = createStore();
    const a = candidate('a', client, clock, { lead: () => Promise.reject(new Error('broken')) });
    await clock.advance(3000);
    await expect(a.running).rejects.toThrow('broken');
    expect(store.lease?.spec.holderIdentity).toBe('');
  });
});

const found = requireControlPlane();
const title = 'leader election at a real API server';
if (isSkipped(found)) {
  test.skip(`${title} (skipped, because ${found.skipped})`, () => undefined);
} else {
  describe(title, () => {
    let server: ApiServer;
    const clients: KubeClient[] = [];
    const fast = { leaseSeconds: 3, renewSeconds: 2, retrySeconds: 0.2 };
    beforeAll(async () => {
      server = await startApiServer(found);
    });
    afterAll(async () => {
      for (const client of clients) client.close();
      await server.stop();
    });

    function start(name: string, identity: string) {
      const client = createClient(server.admin);
      clients.push(client);
      return candidate(identity, client, undefined, { ...fast, name });
    }
    const holder = (name: string) =>
      server.kubectl('get', 'lease', name, '--output', 'jsonpath={.spec.holderIdentity}');

    test('hands over when the leader stops', async () => {
      const a = start('hand-over', 'a');
      await eventually('the first leads', () => a.state.leading);
      const b = start('hand-over', 'b');
      expect(await holder('hand-over')).toBe('a');
      const stopped = Date.now();
      a.stop();
      await eventually('the second leads', () => b.state.leading);
      // Less than the 3 seconds for which a leader that is gone would be waited for.
      expect(Date.now() - stopped).toBeLessThan(2500);
      expect(await holder('hand-over')).toBe('b');
      b.stop();
      await Promise.all([a.running, b.running]);
      expect(await holder('hand-over')).toBe('');
    });

    test('replaces a leader that crashed, after the duration of its lease', async () => {
      const lease = {
        ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'crashed', namespace: 'default' } },
        spec: {
          holderIdentity: 'gone',
          leaseDurationSeconds: 3,
          leaseTransitions: 4,
          renewTime: '2001-01-01T00:00:00.000000Z',
        },
      };
      await server.kubectlWith(JSON.stringify(lease), 'create', '--filename', '-');
      const begun = Date.now();
      const a = start('crashed', 'a');
      await eventually('the candidate leads', () => a.state.leading);
      expect(Date.now() - begun).toBeGreaterThan(2900);
      expect(await holder('crashed')).toBe('a');
      a.stop();
      await a.running;
    });

    test('never has two leaders while the store hangs, and has one again afterwards', async () => {
      const candidates = [start('hanging', 'a'), start('hanging', 'b')];
      const leaders = () => candidates.filter(({ state }) => state.leading).length;
      await eventually('one leads', () => leaders() === 1);
      server.pauseEtcd();
      try {
        await eventually('nobody leads', () => {
          expect(leaders()).toBeLessThan(2);
          return leaders() === 0;
        });
      } finally {
        server.resumeEtcd();
      }
      await eventually('one leads again', () => {
        expect(leaders()).toBeLessThan(2);
        return leaders() === 1;
      });
      for (const { stop } of candidates) stop();
      await Promise.all(candidates.map(({ running }) => running));
    });
  });
}
