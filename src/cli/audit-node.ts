import { createHostFs } from '../host/host-fs.ts';
import { mountedPaths } from '../host/mounted-paths.ts';
import { createProcFs } from '../host/procfs.ts';
import { collectFacts } from '../probes/collect.ts';
import { createNodeReport, type NodeReport } from '../report/node-report.ts';
import { renderNodeTable } from '../report/node-table.ts';
import { escapeControls } from '../report/json-text.ts';
import type { Paint } from '../report/paint.ts';
import type { NodeOutput } from './program.ts';

/** One audit of the machine whose root is at `hostRoot`. Probes are run through at once: nothing else waits in this process. */
export function auditNode(hostRoot: string): NodeReport {
  const steps = collectFacts(createHostFs(hostRoot, mountedPaths(hostRoot)), createProcFs(hostRoot));
  for (;;) {
    const step = steps.next();
    if (step.done) return createNodeReport(step.value);
  }
}

/** The report in the format asked for, without a newline at the end. */
export async function renderNodeReport(
  report: NodeReport,
  output: NodeOutput,
  paint: Paint,
  oneLine: boolean,
): Promise<string> {
  switch (output) {
    case 'json':
      return escapeControls(JSON.stringify(report, undefined, oneLine ? undefined : 2));
    case 'yaml': {
      const { dump } = await import('js-yaml');
      return `${oneLine ? '---\n' : ''}${dump(report, { noRefs: true }).trimEnd()}`;
    }
    case 'html': {
      const { renderNodePage } = await import('../report/html/node-page.ts');
      return renderNodePage(report, `${new Date().toISOString().replace('T', ' ').slice(0, 16)} UTC`, {
        live: false,
      }).html.trimEnd();
    }
    case 'table':
    case 'wide':
      return renderNodeTable(report, { wide: output === 'wide', paint });
  }
}
