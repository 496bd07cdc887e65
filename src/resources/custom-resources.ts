import { auditPolicy } from './audit-policy.ts';
import { GROUP, VERSION } from './group.ts';
import { namespaceAudit } from './namespace-audit.ts';
import { nodeAudit } from './node-audit.ts';
import type { ResourceDefinition } from './schema.ts';

/** All custom resources, sorted by kind. */
export const CUSTOM_RESOURCES: readonly ResourceDefinition[] = [auditPolicy, namespaceAudit, nodeAudit];

/** The CustomResourceDefinition of a kind (apiextensions.k8s.io/v1), as plain data. */
export function customResourceDefinition(resource: ResourceDefinition): Readonly<Record<string, unknown>> {
  const { kind, plural, singular, shortNames, scope, columns } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'userns-audit' } },
    spec: {
      group: GROUP,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['userns-audit'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: rootSchema(resource) },
        },
      ],
    },
  };
}

function rootSchema({ description, spec, status, rules }: ResourceDefinition): Readonly<Record<string, unknown>> {
  const fields = {
    apiVersion: { type: 'string', description: 'The version of this representation of the object.' },
    kind: { type: 'string', description: 'The kind of the object.' },
    metadata: { type: 'object' },
    // A server-side apply that takes all fields out leaves null behind, which is no object; with a default it is dropped.
    ...(spec ? { spec: { ...spec, default: {} } } : {}),
    status,
  };
  return { type: 'object', description, properties: fields, ...(rules ? { 'x-kubernetes-validations': rules } : {}) };
}
