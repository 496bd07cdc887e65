import type { PodSpecPath } from './manifest.ts';

/** Reads `KIND=spec.template.spec`, with `*` or `[]` for every element of a list. Throws an Error that names the option. */
export function parsePodSpecPath(text: string): PodSpecPath {
  const [, kind, path] = /^([A-Z]\w*)=\.?([\w$-]+(?:\.[\w$-]+|\.\*|\[\*?\])*)$/.exec(text) ?? [];
  if (kind === undefined || path === undefined) {
    throw new Error(
      `--pod-spec-path '${text}' is not KIND=path: write for example MyApp=spec.template.spec, or Fleet=spec.pods[].template.spec`,
    );
  }
  return { kind, path: path.replaceAll(/\[\*?\]/g, '.*').split('.') };
}
