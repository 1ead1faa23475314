import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { dashboards, fileText } from '../../grafana/dashboards.ts'

const directory = path.resolve(import.meta.dirname, '../../grafana/dashboards')

test('the committed dashboards are what `npm run generate` writes', () => {
  const built = Object.fromEntries(dashboards().map((board) => [`${board.uid}.json`, fileText(board)]))
  const committed = Object.fromEntries(
    readdirSync(directory).map((file) => [file, readFileSync(path.join(directory, file), 'utf8')]),
  )
  expect(committed).toEqual(built)
})
