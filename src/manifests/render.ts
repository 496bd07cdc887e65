import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { ScanProblem } from '../core/scan-finding.ts';
import type { InputFile, ReadOptions } from './manifest.ts';

/** What a tool made of a directory, or why there is nothing. */
export type Rendering =
  { readonly ok: true; readonly output: Buffer } | { readonly ok: false; readonly problem: ScanProblem };

interface Tool {
  readonly command: string;
  readonly args: readonly string[];
}

const TIMEOUT_MS = 120_000;
const MAX_OUTPUT = 256 * 1024 * 1024;

/** Runs `helm template`, or `kustomize build` and without it `kubectl kustomize`. */
export function renderDirectory(input: InputFile, options: ReadOptions): Rendering {
  const tools = input.origin === 'helm' ? [helmTemplate(input, options)] : kustomizeBuild(input);
  for (const tool of tools) {
    const { error, status, stdout, stderr } = spawnSync(tool.command, tool.args, {
      cwd: options.cwd,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.environment === undefined ? {} : { env: options.environment }),
    });
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') continue;
    if (status === 0) return { ok: true, output: stdout };
    const reason = error?.message ?? firstLines(stderr.toString('utf8'));
    const what = `${tool.command} ${tool.args[0] ?? ''}`;
    return { ok: false, problem: problemOf(input, 'unparsable', `${what} failed: ${reason}`) };
  }
  return { ok: false, problem: problemOf(input, 'tool-missing', missingTool(input)) };
}

function helmTemplate({ absolutePath }: InputFile, { cwd, helm }: ReadOptions): Tool {
  const values = (helm?.values ?? []).flatMap((file) => ['--values', resolve(cwd, file)]);
  const set = (helm?.set ?? []).flatMap((assignment) => ['--set', assignment]);
  const version = helm?.kubeVersion === undefined ? [] : ['--kube-version', helm.kubeVersion];
  return { command: 'helm', args: ['template', 'release-name', absolutePath, ...values, ...set, ...version] };
}

function kustomizeBuild({ absolutePath }: InputFile): readonly Tool[] {
  return [
    { command: 'kustomize', args: ['build', absolutePath] },
    { command: 'kubectl', args: ['kustomize', absolutePath] },
  ];
}

function missingTool({ origin }: InputFile): string {
  return origin === 'helm'
    ? 'a Helm chart, and there is no helm on this machine to render it: install helm, exclude the chart, or pipe `helm template` to `scan -`'
    : 'a kustomization, and there is neither kustomize nor kubectl on this machine to render it: install one of them, or scan with --no-render';
}

function firstLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^(?:# )?warning:/i.test(line));
  return lines.slice(0, 3).join(' ').slice(0, 500);
}

function problemOf({ path }: InputFile, kind: ScanProblem['kind'], message: string): ScanProblem {
  return { kind, message, place: { file: path, line: 1, column: 1, endLine: 1, endColumn: 1 }, fatal: true };
}
