import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { exporterBand } from '../parts/exporter-health.ts'
import { INSTANCE } from '../parts/selectors.ts'
import { instance } from '../parts/variables.ts'
import { instances } from './exporter/instances.ts'
import { cpu, memory } from './exporter/process.ts'
import { bytesRead, fileEvents, files, lag, rejected } from './exporter/reading.ts'
import { commitRate, commits, durable, overflow, series, version } from './exporter/state.ts'

export const exporter = (): Dashboard =>
  board({
    uid: 'audit-exporter',
    title: 'Audit · Exporter',
    description: 'Whether each exporter reads all its trace files and stores what it read.',
    variables: [instance()],
    from: 'now-6h',
    bands: [
      exporterBand(INSTANCE),
      { height: 7, panels: [[24, instances]] },
      {
        height: 4,
        panels: [
          [12, durable],
          [12, version],
        ],
      },
      {
        height: 7,
        panels: [
          [12, bytesRead],
          [12, lag],
        ],
      },
      // As wide as the board: its legend has eight names.
      { height: 7, panels: [[24, rejected]] },
      ...[
        [fileEvents, files],
        [series, overflow],
        [commits, commitRate],
        [memory, cpu],
      ].map((pair) => ({ height: 7, panels: pair.map((panel) => [12, panel] as const) })),
    ],
  })
