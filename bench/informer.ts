// The alternative: the informer of @kubernetes/client-node over the same pods, with a list function that pages, as its users write it.
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromFile(process.argv[2] ?? '');
const api = config.makeApiClient(k8s.CoreV1Api);

const informer = k8s.makeInformer(config, '/api/v1/pods', async () => {
  const items: k8s.V1Pod[] = [];
  let next: string | undefined;
  for (;;) {
    const page = await api.listPodForAllNamespaces({ limit: 500, ...(next === undefined ? {} : { _continue: next }) });
    items.push(...page.items);
    next = page.metadata?._continue;
    if (next === undefined || next === '') return Object.assign(page, { items });
  }
});
await informer.start();
process.stdout.write('synced\n');
