import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { BOARD_OF } from '../../grafana/parts/alerts.ts'
import { CATALOGUE, prometheusName } from '../../src/metrics/catalogue.ts'

/** As much of a committed dashboard as the lint looks at. */
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly maxDataPoints?: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly {
    readonly expr: string
    readonly legendFormat?: string
    readonly refId: string
  }[]
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string
      readonly min?: number
      readonly noValue?: string
      readonly custom?: object
    }
    readonly overrides?: readonly {
      readonly matcher: { readonly options: string }
      readonly properties: readonly { readonly id: string; readonly value: unknown }[]
    }[]
  }
  readonly datasource?: { readonly uid: string }
  readonly links?: readonly { readonly url?: string }[]
  readonly transformations?: readonly {
    readonly options: { readonly renameByName?: Readonly<Record<string, string>> }
  }[]
  readonly options?: { readonly legend?: { readonly showLegend: boolean; readonly placement: string } }
}
interface Board {
  readonly uid: string
  readonly title: string
  readonly timezone: string
  readonly refresh: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
  readonly links: readonly { readonly includeVars: boolean; readonly keepTime: boolean }[]
  readonly annotations: {
    readonly list: readonly { readonly useValueForTime?: boolean; readonly expr?: string }[]
  }
}

const root = path.resolve(import.meta.dirname, '../..')
const directory = path.join(root, 'grafana/dashboards')
const boards = readdirSync(directory).map(
  (file) => [file, JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as Board] as const,
)
const panels = boards.flatMap(([file, board]) =>
  board.panels
    .filter(({ type }) => type !== 'row')
    .map((panel) => [`${file}: ${panel.title}`, panel] as const),
)
const queries = panels.flatMap(([name, panel]) =>
  (panel.targets ?? []).map(
    (target) =>
      [
        `${name} ${target.refId}`,
        target.expr.replaceAll('${family}', 'audit_overall_').replaceAll('${scope}', 'audit_phase_'),
      ] as const,
  ),
)

const definitions = Object.values(CATALOGUE)
const counters = new Set([
  ...definitions.filter(({ kind }) => kind === 'counter').map(prometheusName),
  ...definitions
    .filter(({ kind }) => kind === 'histogram')
    .flatMap((metric) => ['_bucket', '_sum', '_count'].map((suffix) => prometheusName(metric) + suffix)),
  // The exporter's own, kept by OpenTelemetry's instruments.
  'audit_exporter_file_errors_total',
  'audit_exporter_commits_total',
  'audit_exporter_commit_duration_seconds_bucket',
  'process_cpu_seconds_total',
])
const gauges = new Set([
  'audit_context_info',
  'audit_context_first_seen_timestamp_seconds',
  'audit_last_entry_timestamp_seconds',
  'audit_exporter_build_info',
  'audit_exporter_files',
  'audit_exporter_pending_bytes',
  'audit_exporter_lag_bytes',
  'audit_exporter_series',
  'audit_exporter_state_bytes',
  'audit_exporter_state_durable',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
  'audit_exporter_state_created_timestamp_seconds',
  'audit_builds_in_progress',
  'nodejs_heap_size_used_bytes',
  'up',
  'ALERTS',
  'ALERTS_FOR_STATE',
])
const recorded = new Set(
  ['revisions.yml', 'lives.yml', 'recording.yml'].flatMap((name) =>
    (
      parse(readFileSync(path.join(root, 'prometheus/rules', name), 'utf8')) as {
        groups: { rules: { record: string }[] }[]
      }
    ).groups.flatMap(({ rules }) => rules.map(({ record }) => record)),
  ),
)

/** Names of metrics: words that are neither labels in braces or lists, nor functions, nor numbers. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll('@ end()', '')
    .replaceAll(/offset [\w${}]+/g, '')
    .replaceAll(/\b(by|on|ignoring|group_left|group_right|without)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\$\w+/g, '')
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)]
    .map(([word]) => word)
    .filter(
      (word) => !['and', 'or', 'unless', 'offset', 'bool', 'e6', 'group_left', 'group_right'].includes(word),
    )
}

test('there are six dashboards with the uids that links and bookmarks contain', () => {
  expect(boards.map(([, { uid }]) => uid).sort()).toEqual([
    'audit-constraint-effectiveness',
    'audit-context-volatility',
    'audit-exporter',
    'audit-overview',
    'audit-prompt-refinement',
    'audit-token-efficiency',
  ])
})

test.each(boards)('%s uses UTC, refreshes, and its links keep variables and time range', (_, board) => {
  expect(board).toMatchObject({ timezone: 'utc', refresh: '1m' })
  expect(board.links.length).toBeGreaterThan(0)
  for (const link of board.links) expect(link).toMatchObject({ includeVars: true, keepTime: true })
})

test.each(boards)('%s marks changes of GEMINI.md, with the time as the value in milliseconds', (_, board) => {
  const mark = board.annotations.list.find(({ useValueForTime }) => useValueForTime === true)
  expect(mark?.expr).toContain('audit_context_first_seen_timestamp_seconds @ end()) * 1000)')
})

test.each(boards)(
  '%s has a unique id for each panel, and no panel overlaps another or leaves the grid',
  (_, board) => {
    const ids = board.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const taken = new Map<string, string>()
    for (const { title, gridPos } of board.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), `${title} overlaps`).toBeUndefined()
          taken.set(`${x},${y}`, title)
        }
      }
    }
  },
)

test.each(boards)(
  '%s uses every variable that it declares, and declares every one that it uses',
  (_, board) => {
    const declared = board.templating.list.map(({ name }) => name)
    const text = JSON.stringify([board.panels, board.annotations, board.templating])
    const used = [...text.matchAll(/\$\{?([a-z][a-z_]*)\b/g)]
      .map(([, name]) => name as string)
      .filter((name) => name !== 'datasource')
    expect(new Set(used)).toEqual(new Set(declared.filter((name) => name !== 'datasource')))
    expect(declared[0]).toBe('datasource')
  },
)

test.each(panels)('%s has a description, a unit, and the selected data source', (_, panel) => {
  expect(panel.description?.length).toBeGreaterThan(25)
  expect(panel.fieldConfig?.defaults.unit).toBeDefined()
  expect(panel.datasource?.uid).toBe('${datasource}')
  expect(panel.targets?.length).toBeGreaterThan(0)
})

test.each(panels)('%s says why it is empty', (_, panel) => {
  expect(panel.fieldConfig?.defaults.noValue).toMatch(/[a-z]{4}/)
})

test.each(panels.filter(([, { type }]) => type === 'table'))(
  'a cell of %s without a value does not show the text of the empty table',
  (_, panel) => {
    const columns = panel.fieldConfig!.overrides!.filter(({ matcher }) => !matcher.options.startsWith('^'))
    const silent = columns.filter(
      ({ properties }) => !properties.some(({ id, value }) => id === 'noValue' && value === '–'),
    )
    expect(silent).toEqual([])
  },
)

test.each(panels.filter(([, { type }]) => type === 'table'))(
  '%s has a name of its own for each column',
  (_, panel) => {
    const names = panel.fieldConfig!.overrides!.map(({ matcher }) => matcher.options.trim())
    expect(new Set(names).size).toBe(names.length)
  },
)

const samples = panels.flatMap(([name, panel]) =>
  panel.type !== 'stat'
    ? []
    : (panel.targets ?? [])
        .filter(({ legendFormat = '' }) => legendFormat.startsWith('n ('))
        .map(({ legendFormat }) => [name, legendFormat!, panel] as const),
)
test.each(samples)('%s shows the number of %s as a count', (_, sample, panel) => {
  const overrides = panel.fieldConfig!.overrides!.find(({ matcher }) => matcher.options === sample)
  expect(overrides?.properties).toContainEqual({ id: 'unit', value: 'locale' })
})

test('a title is the title of one measure: its description begins the same wherever it stands', () => {
  const measures = new Map(panels.map(([, { title, description = '' }]) => [title, description.slice(0, 40)]))
  const other = panels.filter(
    ([, { title, description = '' }]) => !description.startsWith(measures.get(title)!),
  )
  expect(other.map(([name]) => name)).toEqual([])
})

/** Everything with a colour, by the panel. */
const colors = panels.map(([name, panel]) => [name, JSON.stringify(panel)] as const)
test.each(colors)('%s has no green: good is blue, for people who cannot tell red from green', (_, text) => {
  expect(text).not.toMatch(/"(?:[a-z]+-)*green"/)
})

test('a series has the same colour on every dashboard', () => {
  const known = new Map<string, unknown>()
  for (const [name, { type, fieldConfig }] of panels.filter(([, { type }]) => type === 'timeseries')) {
    for (const { matcher, properties } of fieldConfig?.overrides ?? []) {
      const color = properties.find(({ id }) => id === 'color')?.value
      if (color === undefined) continue
      expect(known.get(matcher.options) ?? color, `${name}: ${matcher.options} (${type})`).toEqual(color)
      known.set(matcher.options, color)
    }
  }
  expect([...known.keys()]).toEqual(expect.arrayContaining(['first pass', 'failed', 'rework', 'prompt']))
})

test.each(panels.filter(([, { type }]) => type === 'bargauge'))(
  'the bars of %s start at zero',
  (_, panel) => {
    expect(panel.fieldConfig?.defaults.min).toBe(0)
  },
)

test.each(panels.filter(([, { type }]) => type === 'timeseries'))(
  '%s has a legend below the chart with a name for every line',
  (_, panel) => {
    expect(panel.options?.legend).toMatchObject({ showLegend: true, placement: 'bottom' })
    for (const target of panel.targets ?? []) expect(target.legendFormat).toMatch(/\S/)
  },
)

test.each(queries)('%s uses only metrics that exist', (_, expr) => {
  const known = (name: string): boolean => counters.has(name) || gauges.has(name) || recorded.has(name)
  const metrics = metricsOf(expr)
  if (!expr.includes('vector(')) expect(metrics.length).toBeGreaterThan(0)
  expect(metrics.filter((name) => !known(name))).toEqual([])
})

test.each(queries)('%s takes increases of counters only, and no counter without one', (_, expr) => {
  const increased = [...expr.matchAll(/\b(?:increase|rate|resets)\(\s*([\w:]+)/g)].map(
    ([, name]) => name as string,
  )
  expect(increased.filter((name) => !counters.has(name) && !name.includes('first_seen'))).toEqual([])
  const bare = expr.replaceAll(
    /\b(?:increase|rate|resets|last_over_time|min_over_time)\([^[]*\[[^\]]*\](?: offset \S+?)?(?: @ end\(\))?\)/g,
    '0',
  )
  expect(metricsOf(bare).filter((name) => counters.has(name))).toEqual([])
})

test.each(queries)('%s has fewer than 10,000 characters and at most ten increases', (_, expr) => {
  expect(expr.length).toBeLessThan(10_000)
  expect((expr.match(/increase\(/g) ?? []).length).toBeLessThanOrEqual(10)
})

test('a line in which each point is calculated over the window before it has at most 100 points', () => {
  const moving = panels.filter(([, { targets = [] }]) => targets.some(({ expr }) => expr.includes('$window')))
  expect(moving.length).toBeGreaterThan(5)
  for (const [name, { maxDataPoints }] of moving) expect(maxDataPoints, name).toBe(100)
})

const CHOICES = new Map([
  ['context', 'revisions'],
  ['error', 'error types'],
  ['phase', 'phases'],
  ['version', 'prompt versions'],
  ['project', 'projects'],
  ['model', 'models'],
])
const aboutBuilds = boards.flatMap(([file, { panels, templating }]) =>
  panels
    .filter(({ targets = [] }) => targets.some(({ expr }) => /audit_(?!exporter)/.test(expr)))
    .map((panel) => [`${file}: ${panel.title}`, panel, templating.list.map(({ name }) => name)] as const),
)
test.each(aboutBuilds)(
  '%s is filtered by the variables of its dashboard, or its description says that it is not',
  (_, panel, asked) => {
    const narrows = (name: string): boolean =>
      panel.targets!.some(({ expr }) =>
        [`$${name}`, `${name}="`, ...(name === 'context' ? ['$revisions', '$newest'] : [])].some((text) =>
          expr.includes(text),
        ),
      )
    const silent = [...CHOICES].filter(
      ([name, words]) =>
        asked.includes(name) && !narrows(name) && !panel.description!.includes(`all ${words}`),
    )
    expect(silent).toEqual([])
  },
)

const variablesOf = (uid: string): string[] =>
  boards.find(([, board]) => board.uid === uid)?.[1].templating.list.map(({ name }) => name) ?? []
const links = boards.flatMap(([file, { uid, panels }]) =>
  panels.flatMap((panel) => {
    const own = (panel.links ?? []).map(({ url }) => url!)
    const ofFields = (panel.fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
      properties
        .filter(({ id }) => id === 'links')
        .flatMap(({ value }) => (value as { url: string }[]).map(({ url }) => url)),
    )
    return [...own, ...ofFields].map((url) => [`${file}: ${panel.title} → ${url}`, url, uid, panel] as const)
  }),
)
test.each(links)('%s leads to a dashboard, by variables that both have', (_, url, uid) => {
  const targets = Object.values(BOARD_OF).concat('exporter')
  for (const target of url.includes('${__value.raw}?') ? targets : ['']) {
    const [, board = '', query = ''] = /^\/d\/([\w-]+)\?(.*)$/.exec(
      url.replace('${__value.raw}?', `${target}?`),
    )!
    expect(boards.map(([, known]) => known.uid)).toContain(board)
    for (const [, name] of query.matchAll(/var-(\w+)=/g)) expect(variablesOf(board)).toContain(name)
    for (const [, name] of query.matchAll(/\$\{(\w+):queryparam\}/g)) {
      expect(variablesOf(uid)).toContain(name)
      expect(variablesOf(board)).toContain(name)
    }
  }
})
test.each(links)('%s uses only what its panel has', (_, url, __, panel) => {
  const known =
    /^\$\{(?:__url_time_range|__all_variables|\w+:queryparam|__value\.raw(?::percentencode)?|__data\.fields\["[^"]+"\](?:\.numeric)?)\}$/
  const used = [...url.matchAll(/\$\{[^}]*\}/g)].map(([macro]) => macro)
  expect(used.filter((macro) => !known.test(macro))).toEqual([])
  // Values of a row exist in tables only.
  if (/__value|__data/.test(url)) expect(panel.type).toBe('table')
  const columns = (panel.transformations ?? []).flatMap(({ options }) =>
    Object.values(options.renameByName ?? {}),
  )
  for (const [, column] of url.matchAll(/__data\.fields\["([^"]+)"\]/g)) expect(columns).toContain(column)
})

test('values of the variables lead from every table of revisions, error types, prompt versions and models to their boards', () => {
  const columns = panels
    .filter(([, { type }]) => type === 'table')
    .flatMap(([name, { fieldConfig }]) =>
      fieldConfig!
        .overrides!.filter(({ matcher }) =>
          ['Revision', 'Error type', 'Prompt version', 'Project', 'Model'].includes(matcher.options),
        )
        .map(({ matcher, properties }) => ({
          column: `${name}: ${matcher.options}`,
          isLink: properties.some(({ id }) => id === 'links'),
        })),
    )
  expect(columns.filter(({ isLink }) => !isLink).map(({ column }) => column)).toEqual([])
})

/** Words in italics that are no panel titles: menus of Prometheus and Grafana, and verdicts. */
const NO_PANELS = new Set([
  'Status → Targets',
  'Audits',
  'Add field from calculation',
  'Before',
  'other',
  'better',
  'worse',
  'unclear',
  'Unclear',
  'insufficient data',
])
test.each(['docs/dashboards.md', 'docs/runbook.md'])('%s names only panels that exist', (file) => {
  const titles = new Set(panels.map(([, { title }]) => title))
  const named = readFileSync(path.join(root, file), 'utf8')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('**', '')
    .matchAll(/\*([^*]+)\*/g)
  const unknown = [...named]
    .map(([, name]) => name!)
    .filter((name) => !titles.has(name) && !NO_PANELS.has(name))
  expect(unknown).toEqual([])
})
