import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const manifestSchema = z.object({
  format: z.literal(1),
  /** Time of the last samples. The next run ends there too, so that it writes the same samples. */
  until_ms: z.number(),
  /** Time of that run. The next run uses the history as of this moment. */
  now_ms: z.number().optional(),
  /** `--since` and `--until` as given. If a later run repeats them, they mean the same moment. */
  since: z.string().optional(),
  since_ms: z.number().optional(),
  until: z.string().optional(),
  /** The state that was created with the files. */
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

/** Reads the manifest of earlier runs; `undefined` if there is none. Throws if it cannot be parsed. */
export function readManifest(directory: string): Manifest | undefined {
  const file = path.join(directory, NAME)
  if (!fs.existsSync(file)) return undefined
  try {
    return manifestSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
  } catch (error) {
    throw new Error(`cannot parse ${file}: use another directory for --out, or remove the file`, {
      cause: error,
    })
  }
}

/** Replaces the manifest atomically. */
export function writeManifest(directory: string, manifest: Manifest): void {
  const file = path.join(directory, NAME)
  fs.writeFileSync(`${file}.tmp`, `${JSON.stringify(manifest, null, 2)}\n`)
  fs.renameSync(`${file}.tmp`, file)
}
