import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { DashboardBuilder, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

/** Any panel builder of the SDK, reduced to what placement needs. */
interface PlaceablePanel extends Builder<Panel> {
  id(id: number): this
  gridPos(gridPos: { x: number; y: number; w: number; h: number }): this
}

/** A row of panels side by side. */
export interface Band {
  /** A heading above the panels. */
  readonly heading?: string
  /** Rows of Grafana's grid, about 38 pixels each. */
  readonly height: number
  /** Width (in columns of 24) and panel, from left to right. */
  readonly panels: readonly (readonly [width: number, panel: PlaceablePanel])[]
}

const GRID_WIDTH = 24

/** Places the bands below each other and numbers the panels. Throws a RangeError if a band is wider than the grid. */
export function place(board: DashboardBuilder, bands: readonly Band[]): void {
  let y = 0
  let id = 0
  for (const { heading, height, panels } of bands) {
    if (heading !== undefined) {
      board.withRow(new RowBuilder(heading).id(++id).gridPos({ x: 0, y, w: GRID_WIDTH, h: 1 }))
      y += 1
    }
    let x = 0
    for (const [w, panel] of panels) {
      if (x + w > GRID_WIDTH) throw new RangeError(`the band at row ${y} is wider than ${GRID_WIDTH}`)
      board.withPanel(panel.id(++id).gridPos({ x, y, w, h: height }))
      x += w
    }
    y += height
  }
}
