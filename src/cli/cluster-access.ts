import { createClient, type KubeClient } from '../kube/client.ts';

/** How a cluster is reached, as the options say. */
export interface ClusterAccess {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Calls `use` with a client for the cluster, and closes it. @throws Error where there is no kubeconfig, or no such context */
export async function withCluster<T>(
  { kubeconfig, context }: ClusterAccess,
  use: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const { kubeconfigConnection } = await import('../kube/kubeconfig.ts');
  const connection = await kubeconfigConnection({
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const client = createClient(connection);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
