import type { Price } from '../../entry/prices.ts'
import type { EstimatedField } from '../trace/entry.ts'
import type { AgentAdapter, AgentFailureReason } from './agent-adapter.ts'
import type { AgentName } from './agents.ts'
import type { TokenEstimator } from './token-estimate.ts'
import type { Snapshot } from './workspace.ts'

/** What a run of an agent is asked for, and what is known of it afterwards. */

/** A prompt template: `{{name}}` is replaced by a value of the build. */
export interface Instruction {
  readonly template: string
  /** The prompt version in the audits. Default: the first 8 hex digits of the template's SHA-256. */
  readonly version?: string
  /** The draw that chose this version at random, as `choosePromptVersion` returns it. Default: not at random. */
  readonly assignment?: string
}

export interface AgentRequest {
  /** Default `gemini-cli`. A further name is that of an adapter of your own, in `AgentDeps.adapters`. */
  readonly agent?: AgentName | (string & {})
  readonly workingDir: string
  readonly instruction: Instruction
  readonly values: Readonly<Record<string, string>>
  /**
   * Content of GEMINI.md (of CLAUDE.md for Claude Code, of AGENTS.md for Codex CLI). The file is written again before
   * the run, because an agent may have changed it.
   */
  readonly context: string
  /** Default: the CLI chooses, which takes the Gemini CLI an extra routing call. */
  readonly model?: string
  readonly timeoutMs: number
}

export interface AgentDeps {
  readonly env: NodeJS.ProcessEnv
  /** Program and leading arguments of the agent's CLI. Default: that of its adapter: `gemini`, `claude` or `codex`. */
  readonly command?: readonly [string, ...string[]]
  /** Adapters for further agents, or in place of ours, by the name of the agent. */
  readonly adapters?: Readonly<Record<string, AgentAdapter>>
  /** Default: that of the adapter, else `estimateTokens`. */
  readonly estimate?: TokenEstimator
  /** How far `estimate` may be off, as a share: 0 for the tokenizer of the model. Default: unknown. */
  readonly estimateError?: number
  /**
   * By model, for agents that do not report the cost themselves. It is set only if every model that was used has a
   * price.
   */
  readonly prices?: Readonly<Record<string, Price>>
  readonly signal?: AbortSignal
  /** Files that changed since this snapshot count as touched. Default: since the start of the run. */
  readonly before?: Snapshot
  readonly now?: () => Date
}

/** What is known of every run of the agent, including failed ones. */
export interface AgentEffort {
  /** Absent if unknown. */
  readonly promptTokens?: number
  /** The part of the prompt that came from a cache. Absent if it was not reported. */
  readonly cachedTokens?: number
  readonly completionTokens?: number
  /** Estimated tokens of the context file. The rest of the prompt is the instruction, the CLI's own text and the history. */
  readonly contextTokens: number
  /** Estimated. */
  readonly instructionTokens: number
  readonly estimatedFields: readonly EstimatedField[]
  /**
   * How far the estimator may be off on the texts that it counted, as a share. Text that only the CLI knows is not among
   * them. Absent if the estimator's error is not known.
   */
  readonly estimateError?: number
  readonly contextFileHash: string
  readonly instructionVersion: string
  /** Absent if the version was not assigned at random. */
  readonly instructionAssignment?: string
  /** The model with the most tokens. */
  readonly model?: string
  /** Absent unless all of it is known. */
  readonly costUsd?: number
  /** Sorted. If the list is cut, its last item says how many are left out. */
  readonly filesTouched: readonly string[]
  /** The length of the uncut list. */
  readonly filesTouchedCount: number
  readonly durationMs?: number
  /** ISO 8601 */
  readonly finishedAt: string
}

/** A successful run of the agent. */
export interface AgentRun extends AgentEffort {
  readonly response: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** Tool calls that failed, refused ones included. A failing test or a missing file is normal work of an agent. */
  readonly failedToolCalls: number
  /** Tool calls that the CLI did not permit. If all of them were refused, the run is a failure. */
  readonly refusedToolCalls: number
  readonly durationMs: number
}

export type AgentResult =
  | { readonly ok: true; readonly run: AgentRun }
  | {
      readonly ok: false
      readonly reason: AgentFailureReason
      readonly message: string
      readonly run: AgentEffort
    }
