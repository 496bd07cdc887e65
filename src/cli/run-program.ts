import { type Command, CommanderError } from 'commander';

/** Parses the command line and runs its command. Help and version end well, bad usage with 2. */
export async function runProgram(program: Command): Promise<void> {
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}
