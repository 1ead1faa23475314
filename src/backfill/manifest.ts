import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const manifestSchema = z.object({
  format: z.literal(1),
  /** Time of the last samples: the next run ends there too, so that it writes the same. */
  until_ms: z.number(),
  /** When that run was: the next one takes the history as of then. */
  now_ms: z.number().optional(),
  /** `--since` and `--until` as given: said again, they mean the same moment. */
  since: z.string().optional(),
  since_ms: z.number().optional(),
  until: z.string().optional(),
  /** The state that was made along with the files. */
  state: z.string().optional(),
  days: z.record(
    z.string(),
    z.object({
      sha256: z.string(),
      samples: z.number(),
      /** Digest of what was imported, by Prometheus data directory. */
      imported: z.record(z.string(), z.string()),
    }),
  ),
})

export type Manifest = z.infer<typeof manifestSchema>

const NAME = 'backfill.json'

/** What earlier runs wrote to this directory; `undefined` where none did. Throws where it cannot be understood. */
export function readManifest(directory: string): Manifest | undefined {
  const file = path.join(directory, NAME)
  if (!fs.existsSync(file)) return undefined
  try {
    return manifestSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
  } catch (error) {
    throw new Error(`cannot understand ${file}: give --out another directory, or remove it`, { cause: error })
  }
}

/** Replaces it, whole or not at all. */
export function writeManifest(directory: string, manifest: Manifest): void {
  const file = path.join(directory, NAME)
  fs.writeFileSync(`${file}.tmp`, `${JSON.stringify(manifest, null, 2)}\n`)
  fs.renameSync(`${file}.tmp`, file)
}
