import type { Paint } from './paint.ts';
import { renderScanGitHub } from './scan-github.ts';
import { renderScanGitLab } from './scan-gitlab.ts';
import { renderScanJson } from './scan-json.ts';
import { renderScanJUnit } from './scan-junit.ts';
import { renderScanMarkdown } from './scan-markdown.ts';
import type { ScanReport } from './scan-report.ts';
import { renderScanSarif } from './scan-sarif.ts';
import type { ScanFormat } from './scan-output.ts';
import { renderScanText } from './scan-text.ts';

export interface RenderOptions {
  readonly paint: Paint;
  readonly summary: boolean;
}

/** A report in one format, with a newline at its end; empty where the format has nothing to say. */
export function renderScan(report: ScanReport, format: ScanFormat, { paint, summary }: RenderOptions): string {
  const text = render(report, format, { paint, summary });
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function render(report: ScanReport, format: ScanFormat, { paint, summary }: RenderOptions): string {
  switch (format) {
    case 'text':
    case 'wide':
      return renderScanText(report, { paint, summary, wide: format === 'wide' });
    case 'json':
      return renderScanJson(report);
    case 'sarif':
      return renderScanSarif(report);
    case 'junit':
      return renderScanJUnit(report);
    case 'github':
      return renderScanGitHub(report);
    case 'gitlab':
      return renderScanGitLab(report);
    case 'markdown':
      return renderScanMarkdown(report);
  }
}
