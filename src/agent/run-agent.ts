export async function runAgent(_options: unknown): Promise<void> {}
