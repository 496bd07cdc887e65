// The real validator of bundles for the tests.
import { requireGoTool } from '../support/go-tool.ts';

/** The program. */
export interface OperatorVerify {
  readonly operatorVerify: string;
}

/** Why there is none on this machine. */
export interface NoOperatorVerify {
  readonly skipped: string;
}

/** The validator, built first when needed (a minute, once), or why it cannot be here; see `requireGoTool`. */
export function requireOperatorVerify(): OperatorVerify | NoOperatorVerify {
  const found = requireGoTool({
    name: 'operator-verify',
    module: import.meta.dirname,
    package: 'github.com/operator-framework/api/cmd/operator-verify',
  });
  return 'skipped' in found ? found : { operatorVerify: found.program };
}
