import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A network between a browser and a server that can fall silent: as in a lost Wi-Fi, nothing
 * arrives any more, and nobody is told.
 */
export class SleepyNetwork {
  /** Lay one that leads to `url`. */
  static async to(url: string): Promise<SleepyNetwork> {
    const { port } = new URL(url);
    const network = new SleepyNetwork(Number(port));
    network.server.listen(0, '127.0.0.1');
    await once(network.server, 'listening');
    return network;
  }

  private constructor(private readonly port: number) {}

  /** The address of a server behind it. */
  through(url: string): string {
    const address = new URL(url);
    address.port = String((this.server.address() as AddressInfo).port);
    return address.href;
  }

  /** Let nothing through any more; what was open stays open, and dead for good. */
  fallSilent(): void {
    this.silent = true;
    for (const socket of this.sockets) {
      socket.pause();
    }
  }

  /** Let new connections through again. */
  wake(): void {
    this.silent = false;
  }

  async remove(): Promise<void> {
    this.sockets.forEach(socket => {
      socket.destroy();
    });
    this.server.close();
    await once(this.server, 'close');
  }

  private silent = false;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer(near => {
    this.keep(near);
    if (this.silent) {
      return;
    }
    const far = connect(this.port, '127.0.0.1');
    this.keep(far);
    // `pipe` would wake what has been paused.
    near.on('data', data => far.write(data));
    far.on('data', data => near.write(data));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
