// Stands for node:child_process in the bundle: nothing is executed.
export function spawn() {
  throw new Error('userns-audit starts no programs');
}
export default { spawn };
