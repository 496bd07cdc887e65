import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';

/** Schemes kubectl knows. */
const SCHEMES = ['http:', 'https:', 'socks5:', 'socks5h:'];

/** @throws Error naming the field, where the address is none that a proxy can have */
export function checkProxyUrl(field: string, address: string): void {
  const protocol = URL.canParse(address) ? new URL(address).protocol : '';
  if (!SCHEMES.includes(protocol))
    throw new Error(
      `${field}: ${JSON.stringify(address)} is no proxy; write it as http://host:port, https:// or socks5://`,
    );
}

type Connected = (error: Error | null, socket?: Duplex) => void;
interface Connecting {
  createConnection(options: object, connected: Connected): unknown;
}

/** The agent, with errors of its proxy that say that it was the proxy. Those of SOCKS do so by themselves. */
export function namingProxy(agent: Agent, field: string, address: string): Agent {
  const { protocol, host } = new URL(address);
  if (protocol.startsWith('socks')) return agent;
  const connecting = agent as unknown as Connecting;
  const connect = connecting.createConnection.bind(agent);
  connecting.createConnection = (options, connected) =>
    connect(options, (error, socket) => {
      if (!error) connected(null, socket);
      else
        connected(
          Object.assign(
            new Error(`through the proxy ${protocol}//${host} (${field}): ${error.message}`, { cause: error }),
            { code: (error as NodeJS.ErrnoException).code },
          ),
        );
    });
  return agent;
}
