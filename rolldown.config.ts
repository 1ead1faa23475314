import http from 'node:http'
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown'
import { thirdPartyLicenses } from './packages/licenses.ts'
import { copiedFiles } from './src/assets/copied.ts'

const DIRECTORY = 'dist/program'

/**
 * What the image and the packages contain and what the benchmarks run. Each entry point is a file of its own; code that
 * only some commands need is in chunks that they load.
 */
const common: RolldownOptions = {
  platform: 'node',
  // Installed beside the program by those who use them: native code, or optional peers.
  external: [/^@duckdb\//u, /^@temporalio\//u, /^protobufjs/u],
  // Older versions of Node.js must be able to read the entry points, which tell that they are too old.
  transform: { target: 'node18' },
  // An import that cannot be resolved or a default that is missing would fail when it first runs.
  onLog(level, log) {
    if (level === 'warn') throw new Error(log.message)
  },
}

export default defineConfig([
  {
    ...common,
    input: {
      main: 'src/main.ts',
      'write-rows': 'src/commands/write-rows.ts',
      healthcheck: 'docker/healthcheck.ts',
      exporter: 'src/exports/exporter.ts',
      capture: 'src/exports/capture.ts',
      'capture-temporal': 'src/exports/capture-temporal.ts',
      temporal: 'src/exports/temporal.ts',
    },
    plugins: [sqliteAtRunTime(), httpWithoutFetch(), licenses('THIRD-PARTY-LICENSES.txt'), copies('assets')],
    // One flat directory: a path relative to a module does not depend on the chunk that the module is in.
    output: {
      dir: DIRECTORY,
      cleanDir: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
  },
  {
    ...common,
    // Apart from the rest, because it runs in Temporal's sandbox: a shared chunk could import Node's modules.
    input: { workflows: 'src/capture/temporal/workflows.ts' },
    output: { dir: DIRECTORY, entryFileNames: '[name].js' },
  },
  {
    ...common,
    // For workflows of users.
    input: { prompts: 'src/exports/prompts.ts' },
    output: { dir: DIRECTORY, entryFileNames: '[name].js' },
  },
  {
    ...common,
    // For the CommonJS entry points.
    input: { 'require-node': 'src/require-node.ts' },
    output: { dir: DIRECTORY, entryFileNames: '[name].cjs', format: 'cjs' },
  },
])

/**
 * `node:sqlite` is looked up when the program runs: an import of a module that an older Node.js lacks fails before
 * any code runs. Node.js 22 warns that it is experimental; users of a library have no use for that.
 */
function sqliteAtRunTime(): Plugin {
  const id = '\0sqlite'
  return {
    name: 'sqlite-at-run-time',
    resolveId: (source) => (source === 'node:sqlite' ? id : undefined),
    load: (loaded) =>
      loaded === id
        ? `const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  if (rest[0] !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
}
const sqlite = process.getBuiltinModule('node:sqlite')
process.emitWarning = emitWarning
export const { DatabaseSync } = sqlite
`
        : undefined,
  }
}

/**
 * An import of `node:http` reads every property of the module, also those that load Node's implementation of fetch and
 * WebSocket: a fifth of a start. `require` does not.
 */
function httpWithoutFetch(): Plugin {
  const id = '\0http'
  const names = Object.entries(Object.getOwnPropertyDescriptors(http)).flatMap(([name, { get }]) =>
    get === undefined ? [name] : [],
  )
  return {
    name: 'http-without-fetch',
    resolveId: (source) => (source === 'http' || source === 'node:http' ? id : undefined),
    load: (source) =>
      source === id
        ? `import { createRequire } from 'node:module'
           const http = createRequire(import.meta.url)('node:http')
           export default http
           export const { ${names.join(', ')} } = http`
        : undefined,
  }
}

/** Writes the licenses of every bundled package into one file. */
function licenses(fileName: string): Plugin {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const codes = Object.values(bundle).flatMap((output) => (output.type === 'chunk' ? [output.code] : []))
      this.emitFile({ type: 'asset', fileName, source: thirdPartyLicenses(codes) })
    },
  }
}

/** Copies the files that `assets` does not generate. */
function copies(directory: string): Plugin {
  return {
    name: 'copies',
    generateBundle() {
      for (const [name, source] of copiedFiles(import.meta.dirname))
        this.emitFile({ type: 'asset', fileName: `${directory}/${name}`, source })
    },
  }
}
