/** What every object of the API has. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** `namespace/name`, or the name alone of an object that is in no namespace: unique within a resource. */
export function objectKey({ metadata: { namespace, name } }: KubeObject): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
