import { readdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown'
import { copiedFiles } from './src/assets/copied.ts'

/**
 * `dist`: what the image and the package contain and what the benchmarks run. Each entry point is a file of its own;
 * code that only some commands need is in chunks that they load.
 */
const common: RolldownOptions = {
  platform: 'node',
  // Installed beside the program by those who use them: native code, or optional peers.
  external: [/^@duckdb\//u, /^@temporalio\//u, /^protobufjs/u],
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
      healthcheck: 'docker/healthcheck.ts',
      capture: 'src/exports/capture.ts',
      temporal: 'src/exports/temporal.ts',
    },
    plugins: [httpWithoutFetch(), licenses('THIRD-PARTY-LICENSES.txt'), copies('assets')],
    // One flat directory: a path relative to a module does not depend on the chunk that the module is in.
    output: { dir: 'dist', cleanDir: true, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  },
  {
    ...common,
    // Apart from the rest, because it runs in Temporal's sandbox: a shared chunk could import Node's modules.
    input: { workflows: 'src/capture/temporal/workflows.ts' },
    output: { dir: 'dist', entryFileNames: '[name].js' },
  },
])

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
      const roots = new Set<string>()
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue
        for (const id of output.moduleIds) {
          const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(id)?.[0]
          if (root !== undefined) roots.add(root)
        }
      }
      this.emitFile({ type: 'asset', fileName, source: [...roots].toSorted().map(license).join('\n') })
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

function license(root: string): string {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license: string
  }
  const texts = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[cs]e|notice)/iu.test(entry.name))
    .map((entry) => entry.name)
  return [
    `${name} ${version} (${license})`,
    '',
    ...texts.map((file) => readFileSync(path.join(root, file), 'utf8').trimEnd()),
    '',
  ].join('\n')
}
