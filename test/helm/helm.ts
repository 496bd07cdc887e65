// Real Helm for the tests.
import { requireGoTool } from '../support/go-tool.ts';

/** The program. */
export interface Helm {
  readonly helm: string;
}

/** Why there is no Helm on this machine. */
export interface NoHelm {
  readonly skipped: string;
}

/** Helm, built first when needed (two minutes of processor time, once), or why it cannot be here; see `requireGoTool`. */
export function requireHelm(): Helm | NoHelm {
  const found = requireGoTool({ name: 'helm', module: import.meta.dirname, package: 'helm.sh/helm/v4/cmd/helm' });
  return 'skipped' in found ? found : { helm: found.program };
}
