import { createLogger, format, type Logger, transports } from 'winston';

/** JSON lines on standard error: what happened and to what, in fields; the message itself never varies. */
export function createLog(level: string): Logger {
  return createLogger({
    level,
    format: format.combine(format.timestamp(), format.json()),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's own types do not agree
    transports: [new transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
  });
}
