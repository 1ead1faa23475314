import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'
import { requireProgram, skipTest } from './programs.ts'

/**
 * Debian's podman, as root, without systemd and without a registry of images. Its images are in the user's cache
 * directory. In a mount namespace of its own it does not see a second hierarchy of control groups, which confuses it.
 */
export interface Podman {
  /** Runs a podman command; returns its output. Rejects with both streams if it fails. */
  run(...args: string[]): Promise<string>
  /** As `run`, but a failure is a value. */
  attempt(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** Builds a directory with its Dockerfile. `npm` in it uses this machine's cache, registry and certificates. */
  build(directory: string, tag: string, ...args: string[]): Promise<void>
}

const CACHE = path.join(
  process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'),
  'audit-trace-exporter',
  'containers',
)

const IN_OWN_NAMESPACE = 'umount /sys/fs/cgroup/unified 2> /dev/null; exec "$@"'

/** Skips the test with the reason if podman cannot be had, or fails it with CI=true. */
export function requirePodman(): Podman {
  const program = requireProgram('podman')
  requireProgram('crun')
  if (process.getuid?.() !== 0) skipTest('needs root, to run containers')
  mkdirSync(CACHE, { recursive: true })
  const config = path.join(CACHE, 'containers.conf')
  writeFileSync(
    config,
    `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
`,
  )
  const storage = ['--root', path.join(CACHE, 'storage'), '--runroot', path.join(CACHE, 'run')]
  const execute = (...args: string[]) =>
    promisify(execFile)(
      'unshare',
      ['--mount', 'sh', '-c', IN_OWN_NAMESPACE, 'sh', program, ...storage, ...args],
      { env: { ...process.env, CONTAINERS_CONF: config }, maxBuffer: 1 << 26 },
    )
  const run = async (...args: string[]): Promise<string> => (await execute(...args)).stdout.trim()
  const attempt: Podman['attempt'] = async (...args) => {
    try {
      return { code: 0, ...(await execute(...args)) }
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string }
      return { code: code ?? -1, stdout: stdout ?? '', stderr: stderr ?? String(error) }
    }
  }
  return {
    run,
    attempt,
    async build(directory, tag, ...args) {
      const npmrc = path.join(CACHE, 'npmrc')
      writeFileSync(npmrc, npmSettings())
      const volumes = [
        `${npmrc}:/usr/local/etc/npmrc:ro`,
        `${npm('config', 'get', 'cache')}:/root/.npm`,
        ...(existsSync(CERTIFICATES) ? [`${path.dirname(CERTIFICATES)}:/etc/ssl/certs:ro`] : []),
      ]
      await run(
        'build',
        '--format=docker',
        '--isolation=chroot',
        '--network=host',
        '--pull=never',
        ...volumes.map((volume) => `--volume=${volume}`),
        ...args,
        `--tag=${tag}`,
        directory,
      )
    },
  }
}

export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

const npm = (...args: string[]): string => execFileSync('npm', args, { encoding: 'utf8' }).trim()

/** Settings with which npm in an image uses the registry and certificates of this machine. */
export const npmSettings = (): string =>
  [
    `registry=${npm('config', 'get', 'registry')}`,
    'prefer-offline=true',
    ...(existsSync(CERTIFICATES) ? [`cafile=${CERTIFICATES}`] : []),
  ]
    .map((line) => `${line}\n`)
    .join('')

/**
 * Makes an image under the name of Node's official one, from Debian's packages and the Node and npm of this machine:
 * the tests pull nothing. Once it is made, it stays in the cache.
 */
export async function standInForNode(podman: Podman, image: string): Promise<void> {
  const name = `localhost/${image}`
  if ((await podman.attempt('image', 'exists', name)).code === 0) return
  const debootstrap = requireProgram('debootstrap')
  process.stderr.write(
    `test set-up: debootstrap, for an image that stands in for ${image} (once; a minute)\n`,
  )
  const scratch = mkdtempSync(path.join(tmpdir(), 'stand-in-'))
  const root = path.join(scratch, 'root')
  try {
    await promisify(execFile)(debootstrap, ['--variant=minbase', 'bookworm', root], { maxBuffer: 1 << 26 })
    const local = path.join(root, 'usr/local')
    execFileSync('cp', ['-L', process.execPath, path.join(local, 'bin/node')])
    const modules = path.join(local, 'lib/node_modules')
    mkdirSync(modules, { recursive: true })
    // The directory of the npm that runs the tests: …/npm/bin/npm-cli.js.
    const npmDirectory = path.dirname(path.dirname(realpathSync(findProgram('npm')!)))
    execFileSync('cp', ['-rL', npmDirectory, path.join(modules, 'npm')])
    execFileSync('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', path.join(local, 'bin/npm')])
    execFileSync('tar', ['-C', root, '-cf', path.join(scratch, 'root.tar'), '.'])
    await podman.run('import', path.join(scratch, 'root.tar'), name)
  } catch (error) {
    skipTest(`cannot make the stand-in for ${image}: ${String(error).slice(0, 500)}`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
