import { isLoopback, type Route } from '../http/server.ts';

/**
 * The same routes, answering only to who calls this machine by a name of its own. A page from elsewhere can have its name point to
 * 127.0.0.1 and let the visitor's browser read what listens there (DNS rebinding); the Host header then holds that name, so such a
 * request is told that it came to the wrong place (421, RFC 9110 15.5.20).
 */
export function localRoutes(routes: Readonly<Record<string, Route>>): Readonly<Record<string, Route>> {
  const guarded = (route: Route): Route => {
    return (request) => (isLoopback(hostName(request.headers.host ?? '')) ? route(request) : MISDIRECTED);
  };
  return Object.fromEntries(Object.entries(routes).map(([path, route]) => [path, guarded(route)]));
}

const MISDIRECTED = {
  status: 421,
  body: 'this answers to localhost and 127.0.0.1 alone: a proxy in front of it must send one of them as Host\n',
};

/** Of a Host header, without its port and without the brackets of IPv6. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
