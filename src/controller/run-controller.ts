export async function runController(_options: unknown): Promise<void> {}
