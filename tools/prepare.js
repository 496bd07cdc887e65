// What npm runs before it packs, and when it installs this repository from git, as pre-commit does: builds dist/.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** `npm install -g git+…` prepares a clone without its development packages: its own --global is inherited. */
function installPackages() {
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-progress', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    env: {
      ...process.env,
      npm_config_global: 'false',
      npm_config_location: 'project',
      npm_config_package_lock: 'true',
    },
  });
  if (status !== 0) throw new Error('npm ci failed');
}

// A container image may hold package.json alone when it installs.
if (existsSync('src')) {
  if (!existsSync('node_modules/esbuild')) installPackages();
  await import('./build.js');
}
