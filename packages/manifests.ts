import root from '../package.json' with { type: 'json' }

/** A published package: its manifest, and the names of the bundle's entry points that it contains. */
export interface Published {
  readonly manifest: {
    readonly name: string
    readonly version: string
    readonly description: string
    readonly [field: string]: unknown
  }
  /** Entry points that can be imported, in `dist/program` and, with their types, in the package. */
  readonly entries: readonly string[]
  /** Other files of `dist/program`. */
  readonly programs: readonly string[]
  /** The documents that come with it. */
  readonly documents: readonly string[] | 'all'
}

/** `node:sqlite` without a flag: src/node-version.ts. */
const ENGINES = { node: '^22.13.0 || >=23.4.0' }

const common = {
  version: root.version,
  license: root.license,
  type: 'module',
  files: ['dist', 'docs', 'THIRD-PARTY-LICENSES.txt'],
}

/** Each entry point has its own files for ECMAScript modules and for CommonJS, so that either kind of types is right. */
const entryPoint = (name: string) => ({
  import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
})

/** Packages that only some users need, by name: the range that works. They install them beside ours. */
function optionalPeers(peers: Readonly<Record<string, string>>) {
  const optional = Object.keys(peers).map((name) => [name, { optional: true }] as const)
  return { peerDependencies: peers, peerDependenciesMeta: Object.fromEntries(optional) }
}

const own = (name: keyof typeof root.devDependencies): string => `^${root.devDependencies[name]}`

const TEMPORAL = {
  '@temporalio/activity': own('@temporalio/activity'),
  '@temporalio/client': own('@temporalio/client'),
  '@temporalio/common': own('@temporalio/common'),
  '@temporalio/worker': own('@temporalio/worker'),
  '@temporalio/workflow': own('@temporalio/workflow'),
  protobufjs: own('protobufjs'),
}

const capture: Published = {
  manifest: {
    name: 'audit-trace-capture',
    description: 'Writes the audit_trace.jsonl files of AI code generation builds.',
    ...common,
    engines: ENGINES,
    exports: {
      '.': entryPoint('capture'),
      './prompts': entryPoint('prompts'),
      './temporal': entryPoint('capture-temporal'),
      './temporal/workflows': entryPoint('workflows'),
      './package.json': './package.json',
    },
    ...optionalPeers(TEMPORAL),
  },
  entries: ['capture', 'capture-temporal', 'prompts', 'workflows'],
  programs: [],
  documents: ['agents.md', 'capture.md', 'format.md'],
}

const exporter: Published = {
  manifest: {
    name: root.name,
    description: root.description,
    ...common,
    engines: ENGINES,
    bin: { [root.name]: 'dist/main.js' },
    exports: {
      '.': entryPoint('exporter'),
      './capture': entryPoint('capture'),
      './prompts': entryPoint('prompts'),
      './temporal': entryPoint('temporal'),
      './temporal/workflows': entryPoint('workflows'),
      './package.json': './package.json',
    },
    // DuckDB's releases look like prereleases, which no range matches.
    ...optionalPeers({ '@duckdb/node-api': '*', ...TEMPORAL }),
  },
  entries: ['exporter', 'capture', 'prompts', 'temporal', 'workflows'],
  programs: ['main.js', 'write-rows.js', 'assets'],
  documents: 'all',
}

export const PUBLISHED: readonly Published[] = [capture, exporter]
