import { once } from 'node:events'
import net from 'node:net'

/** Returns a port that is free at this moment, for programs that do not report the port they chose. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
