// Prints the last line of a test run in one plain form, whatever jest prints above it.
export default class Summary {
  onRunComplete(_contexts, results) {
    // A suite that does not load runs no test of its own: it counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    process.once('exit', () =>
      process.stderr.write(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`),
    );
  }
}
