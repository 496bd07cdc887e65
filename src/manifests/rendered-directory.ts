import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export function isHelmChart(directory: string): boolean {
  return existsSync(join(directory, 'Chart.yaml'));
}

/** A library chart holds no objects of its own, and Helm refuses to render it. */
export function isLibraryChart(directory: string): boolean {
  try {
    return /^type:\s*["']?library\b/m.test(readFileSync(join(directory, 'Chart.yaml'), 'utf8'));
  } catch {
    return false;
  }
}

export function isKustomization(directory: string): boolean {
  return KUSTOMIZATION_FILES.some((name) => existsSync(join(directory, name)));
}
