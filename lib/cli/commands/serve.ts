import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutputError } from '../../errors.js';
import { type Command, command, EXIT, UsageError } from '../command.js';
import { SITE_INDEX } from '../page-files.js';

/** Nobody else's: what is served are kelf's own files, and what they are shown stays in the browser. */
const LOOPBACK = '127.0.0.1';

export const serve: Command = command({
  usage: '[--port N]',
  arity: [0, 0],
  about: `Serves, on this machine alone, a page that reads kernels, modules, BTF, BPF objects and lists of symbols in the browser: drop them on it. The
files do not leave the browser, and the page asks for nothing once it is loaded. It runs until it is interrupted.`,
  examples: ['', '--port 8080'],
  options: {
    port: { type: 'string', value: 'N', help: 'the port on 127.0.0.1; by default one that is free' },
  },
  run: ({ options, out }) => {
    const port = portOf(options.port ?? '0');
    const page = readFileSync(SITE_INDEX, 'utf8');
    // The document's own: it knows the digests of what is in it.
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)!;
    const headers = {
      'content-security-policy': `${policy}; frame-ancestors 'none'`,
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    };
    const server = createServer(({ method, url }, response) => {
      const found = (url === '/' || url === '/index.html') && (method === 'GET' || method === 'HEAD');
      response.writeHead(found ? 200 : 404, { ...headers, 'content-type': found ? 'text/html; charset=utf-8' : 'text/plain' });
      response.end(method === 'HEAD' ? '' : found ? page : 'kelf serve has one page: /\n');
    });
    return new Promise((resolve, reject) => {
      server.on('error', error => reject(new OutputError(`port ${port}`, error)));
      server.on('close', () => resolve(EXIT.ok));
      server.listen(port, LOOPBACK, () => {
        out.line(`http://${LOOPBACK}:${(server.address() as AddressInfo).port}/`);
        out.flush();
      });
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => {
          server.close();
          server.closeAllConnections();
        });
    });
  },
});

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`--port: '${text}' is not a port (0 to 65535)`);
  return port;
}
