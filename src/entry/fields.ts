import type { Entry } from './parsed.ts'
import { TIMESTAMP_PATTERN } from './timestamp.ts'
import type { ValidationStatus } from './validation-status.ts'

/**
 * The kinds of fields, and what a writer puts there. `schema.ts` has a zod schema for each kind, `plain.ts` a fast
 * check. Types of the published packages are made of these, without those of zod.
 */
export interface KindValues {
  /** Required and not empty. */
  name: string
  text: string
  /** Finite and not negative; fractions are allowed. */
  count: number
  texts: string[]
  status: ValidationStatus
}

type FieldKind = keyof KindValues

interface FieldOf<Kind extends FieldKind> {
  readonly kind: Kind
  /** The value of an `Entry` that is read from this field; `null` if the reader only checks the field. */
  readonly readAs: keyof Entry | null
  /** The description in docs/entry.schema.json. */
  readonly about: string
  readonly examples: readonly KindValues[Kind][]
  /** In docs/entry.schema.json only: a rule that `normalise` checks while it reads the value. */
  readonly pattern?: string
  /** Still read, but not offered to writers. */
  readonly deprecated?: true
}

type Field = { [Kind in FieldKind]: FieldOf<Kind> }[FieldKind]

/**
 * Every field of a line. The types, the zod schema and docs/entry.schema.json are derived from this table. CONTRIBUTING.md says how to add a field.
 */
export const FIELDS = {
  workflow_run_id: {
    kind: 'name',
    readAs: 'runId',
    about: 'Identifies one build: all entries of a build have the same id.',
    examples: ['0f8fad5b-d9cb-469f-a165-70867728950e'],
  },
  step_name: {
    kind: 'name',
    readAs: 'step',
    about: 'The step of the build. Its phase (scaffold, implement, verify, rework) is read from the name.',
    examples: ['scaffold', 'implement_v1', 'initial_verification', 'fix_attempt_1'],
  },
  timestamp: {
    kind: 'name',
    readAs: 'timestampMs',
    about:
      'When the step was completed: an ISO 8601 date and time with a zone. Seconds, fractions and the colons are optional; a space may stand for the T.',
    examples: ['2026-11-20T10:00:00.000Z', '2026-11-20T12:00:00+02:00', '20261120T100000Z'],
    pattern: TIMESTAMP_PATTERN,
  },
  prompt_token_count: {
    kind: 'count',
    readAs: 'promptTokens',
    about:
      'Tokens that went into the model. If absent: the total minus the completion, where both are known.',
    examples: [5120],
  },
  completion_token_count: {
    kind: 'count',
    readAs: 'completionTokens',
    about: 'Tokens that the model generated. If absent: the total minus the prompt, where both are known.',
    examples: [730],
  },
  cached_token_count: {
    kind: 'count',
    readAs: 'cachedTokens',
    about:
      'The part of prompt_token_count that the model had cached. More than the prompt: the prompt is used and a warning is counted.',
    examples: [3072],
  },
  total_token_cost: {
    kind: 'count',
    readAs: 'spentTokens',
    about:
      'prompt_token_count + completion_token_count. If it differs from their sum, the sum is used and a warning is counted.',
    examples: [5850],
  },
  context_file_hash: {
    kind: 'text',
    readAs: 'contextFileHash',
    about: 'SHA-256 of the GEMINI.md in use. Anything but 64 hexadecimal digits is read as unknown.',
    examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  },
  validation_status: {
    kind: 'status',
    readAs: 'status',
    about:
      'The outcome of the commands that the step ran. "N/A" or absent: it ran none. Read in upper and lower case.',
    examples: ['pass'],
  },
  validation_error_type: {
    kind: 'text',
    readAs: 'errorType',
    about: 'The kind of failure that was found, or that a fix responds to. "N/A" and "" mean none.',
    examples: ['TSC_ERROR', 'ESLINT_ERROR_NO_ANY', 'JEST_FAILURE'],
  },
  error_type: {
    kind: 'text',
    readAs: 'errorType',
    about: 'Former name of validation_error_type. Read if that is absent.',
    examples: ['TSC_ERROR'],
    deprecated: true,
  },
  error_log_size_chars: {
    kind: 'count',
    readAs: 'errorLogChars',
    about: 'On a fix: characters (UTF-16 code units) of the error log that was given to the agent.',
    examples: [1460],
  },
  rework_cost_factor: {
    kind: 'count',
    readAs: 'reworkCostFactor',
    about: 'completion_token_count / error_log_size_chars. Computed if absent.',
    examples: [0.5],
  },
  files_touched: {
    kind: 'texts',
    readAs: 'filesTouched',
    about: 'Paths of the files that the step created, changed or deleted.',
    examples: [['src/index.ts', 'test/index.test.ts']],
  },
  error_full: {
    kind: 'text',
    readAs: 'errorFullChars',
    about: 'The whole error log. Only its length is read. A whole line may have 16 MiB by default.',
    examples: ["src/index.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'."],
  },
  commands_attempted: {
    kind: 'texts',
    readAs: null,
    about: 'Commands that the step ran, in order.',
    examples: [['npm run build', 'npm run lint']],
  },
  context_token_count: {
    kind: 'count',
    readAs: 'contextTokens',
    about: 'The part of prompt_token_count that is GEMINI.md.',
    examples: [1800],
  },
  instruction_token_count: {
    kind: 'count',
    readAs: 'instructionTokens',
    about: 'The part of prompt_token_count that is the instruction.',
    examples: [260],
  },
  instruction_version: {
    kind: 'text',
    readAs: 'instructionVersion',
    about:
      'The prompt version of the instruction or fix prompt: a name or a short hash. If absent: the version in the name of the step (implement_v2), shown as "v2 (step name)".',
    examples: ['implement-1'],
  },
  instruction_assignment: {
    kind: 'text',
    readAs: 'instructionAssignment',
    about:
      'The draw in which the build was assigned its prompt version at random, such as the versions with their weights. The report then compares the builds of this draw with each other. Absent: the version was not assigned at random.',
    examples: ['fix-1:1 fix-2:1'],
  },
  project: {
    kind: 'text',
    readAs: 'project',
    about:
      'What the build belongs to, such as a repository, a package or a team. The first one that is known in a build is that of the build.',
    examples: ['billing-api'],
  },
  model: {
    kind: 'text',
    readAs: 'model',
    about: 'The model that answered.',
    examples: ['gemini-2.5-pro'],
  },
  duration_ms: {
    kind: 'count',
    readAs: 'durationMs',
    about: 'How long the step took, in milliseconds.',
    examples: [42_000],
  },
  cost_usd: {
    kind: 'count',
    readAs: 'costUsd',
    about: 'What the step cost, in US dollars.',
    examples: [0.0137],
  },
} as const satisfies Record<string, Field>

export type FieldName = keyof typeof FIELDS

export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[]

export type KindOf<Name extends FieldName> = (typeof FIELDS)[Name]['kind']

/** The names of all fields of the given kinds. */
type NamesOf<Kind extends FieldKind> = {
  [Name in FieldName]: KindOf<Name> extends Kind ? Name : never
}[FieldName]

type DeprecatedName = {
  [Name in FieldName]: (typeof FIELDS)[Name] extends { readonly deprecated: true } ? Name : never
}[FieldName]

export type RequiredName = NamesOf<'name'>

/** The fields that a writer may leave out. */
export type OptionalName = Exclude<FieldName, RequiredName | DeprecatedName>

/** What a writer puts into a field. */
export type ValueOf<Name extends FieldName> = KindValues[KindOf<Name>]
