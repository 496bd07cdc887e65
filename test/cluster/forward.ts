// Runs in the network namespace of a cluster and accepts connections outside of it: a socket stays in the namespace it was made
// in, so the listening one is made by the parent and handed over. Ends with its parent.
import { connect, type Server, type Socket } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);

process.on('disconnect', () => process.exit());
process.on('message', (_message, handle) => {
  (handle as Server).on('connection', (outer: Socket) => {
    const inner = connect({ host, port: Number(port) });
    join(outer, inner);
    join(inner, outer);
  });
  process.send?.('ready');
});

/** Whatever ends one side ends the other: a client must see that the API server is gone. */
function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}
