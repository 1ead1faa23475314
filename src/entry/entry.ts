import type { OptionalName, RequiredName, ValueOf } from './fields.ts'

/**
 * One step of one audited build, as a pipeline writes it: one JSON line of `audit_trace.jsonl`. Counts are tokens,
 * sizes are characters (UTF-16 code units, as `String.length` counts them). docs/entry.schema.json describes each
 * field.
 */
export type OptimizationLogEntry = { [Name in RequiredName]: ValueOf<Name> } & {
  [Name in OptionalName]?: ValueOf<Name>
}
