import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { requireGoProgram } from './go-program.ts'
import { CERTIFICATES, npmSettings, requirePodman, standInForNode } from './podman.ts'
import { until } from './process.ts'
import { requireProgram, skipTest } from './programs.ts'

/** A Docker engine of the test's own, with Compose, as root, in a mount namespace of its own. It pulls nothing. */
export interface DockerEngine {
  /** Runs a docker command; returns its output. Rejects with its error output if it fails. */
  docker(...args: string[]): Promise<string>
  /** Runs Compose. */
  compose(...args: string[]): Promise<string>
  /** Builds a Dockerfile, with files and copies of others beside it, under the name. */
  build(image: string, files: Readonly<Record<string, string>>, copies?: readonly string[]): Promise<void>
  stop(): Promise<void>
}

/** Its images are in the user's cache directory, so that a second run builds little. */
const DATA = path.join(
  process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'),
  'audit-trace-exporter',
  'docker',
)

const STAND_IN = 'stand-in-for-node'

const IN_OWN_NAMESPACE = 'umount /sys/fs/cgroup/unified 2> /dev/null; exec "$@"'

/** Starts the engine with an image that stands in for Node's. Skips the test with the reason if it cannot. */
export async function startDockerEngine(nodeImage: string): Promise<DockerEngine> {
  const engine = requireProgram('dockerd')
  const client = requireProgram('docker')
  requireProgram('runc')
  const podman = requirePodman()
  const composeProgram = await requireGoProgram('compose')
  const directory = mkdtempSync(path.join(tmpdir(), 'docker-'))
  mkdirSync(DATA, { recursive: true })
  const socket = `unix://${path.join(directory, 'socket')}`
  // The engine and its containers end with the tests, also when these are killed.
  const daemon = spawn('setpriv', [
    '--pdeathsig=TERM',
    'unshare',
    '--mount',
    'sh',
    '-c',
    IN_OWN_NAMESPACE,
    'sh',
    engine,
    `--host=${socket}`,
    `--data-root=${DATA}`,
    `--exec-root=${path.join(directory, 'exec')}`,
    `--pidfile=${path.join(directory, 'pid')}`,
    // The firewall of the machine is left alone; containers reach each other without it.
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
  ])
  let log = ''
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-20_000)))
  const env = { ...process.env, DOCKER_HOST: socket, DOCKER_BUILDKIT: '0' }
  const run = async (program: string, args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(program, args, { env, maxBuffer: 1 << 26 })
    return stdout.trim()
  }
  const docker = (...args: string[]): Promise<string> => run(client, args)
  async function stop(): Promise<void> {
    if (daemon.exitCode === null) {
      daemon.kill('SIGTERM')
      await once(daemon, 'close')
    }
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const ended = await until('the Docker engine answers', async () =>
      daemon.exitCode === null ? ((await docker('version')) && 'answers') || undefined : 'ended',
    )
    if (ended === 'ended') throw new Error(log.slice(-1_000))
  } catch (error) {
    await stop()
    skipTest(`this machine cannot run a Docker engine: ${String(error)}`)
  }

  const build: DockerEngine['build'] = async (image, files, copies = []) => {
    const context = mkdtempSync(path.join(directory, 'context-'))
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(context, name), content)
    for (const copy of copies) await run('cp', ['-rL', copy, context])
    await docker('build', '--tag', image, context)
    rmSync(context, { recursive: true })
  }
  await standInForNode(podman, nodeImage)
  if ((await docker('images', '--quiet', STAND_IN)) === '') {
    const archive = path.join(directory, 'node.tar')
    await podman.run('save', '--output', archive, `localhost/${nodeImage}`)
    await docker('load', '--input', archive)
    await docker('tag', `localhost/${nodeImage}`, STAND_IN)
    rmSync(archive)
  }
  const hasCertificates = existsSync(CERTIFICATES)
  const copied = hasCertificates ? `COPY ${path.basename(CERTIFICATES)} ${CERTIFICATES}\n` : ''
  await build(
    nodeImage,
    { Dockerfile: `FROM ${STAND_IN}\nCOPY npmrc /usr/local/etc/npmrc\n${copied}`, npmrc: npmSettings() },
    hasCertificates ? [CERTIFICATES] : [],
  )
  return { docker, compose: (...args) => run(composeProgram, args), build, stop }
}
