import type { DockerDeclaration } from '../core/container.ts';
import { type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import { at, isTable } from './config-document.ts';

/**
 * What each Docker container was asked for, by container id. With userns-remap the daemon keeps its containers one directory
 * deeper, `<data-root>/<uid>.<gid>/containers` (docs.docker.com/engine/security/userns-remap).
 */
export function readDockerContainers(host: HostFs, dataRoot: string): ReadonlyMap<string, Reading<DockerDeclaration>> {
  const entries = host.list(dataRoot);
  const remapped = entries.ok
    ? entries.value.filter((name) => /^\d+\.\d+$/.test(name)).map((name) => `${dataRoot}/${name}`)
    : [];
  const found = new Map<string, Reading<DockerDeclaration>>();
  for (const directory of [dataRoot, ...remapped].map((root) => `${root}/containers`)) {
    const ids = host.list(directory);
    for (const id of ids.ok ? ids.value : []) {
      const declaration = readOne(host, `${directory}/${id}`);
      if (declaration.ok || declaration.why !== 'absent') found.set(id, declaration);
    }
  }
  return found;
}

function readOne(host: HostFs, directory: string): Reading<DockerDeclaration> {
  const modes = host.readText(`${directory}/hostconfig.json`);
  if (!modes.ok) return modes;
  const config = host.readText(`${directory}/config.v2.json`);
  return parseDockerDeclaration(modes.value, config.ok ? config.value : '{}', modes.source);
}

/** Parses hostconfig.json, and the name out of config.v2.json. */
export function parseDockerDeclaration(hostConfig: string, config: string, source: string): Reading<DockerDeclaration> {
  const modes = parseJson(hostConfig);
  if (!isTable(modes)) return unread(source, 'malformed', 'no JSON object');
  const text = (key: string): string => {
    const value = modes[key];
    return typeof value === 'string' ? value : '';
  };
  const name = at(parseJson(config), 'Name');
  return read(source, {
    name: typeof name === 'string' ? name.replace(/^\//, '') : '',
    pidMode: text('PidMode'),
    ipcMode: text('IpcMode'),
    utsMode: text('UTSMode'),
    networkMode: text('NetworkMode'),
    usernsMode: text('UsernsMode'),
    privileged: modes['Privileged'] === true,
    runtime: text('Runtime'),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
