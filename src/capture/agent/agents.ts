import type { AgentAdapter } from './agent-adapter.ts'
import { claudeCode } from './claude-code.ts'
import { codexCli } from './codex-cli.ts'
import { geminiCli } from './gemini-cli.ts'

/** The agents that `executeAgent` knows by name. */
export const AGENTS = { 'gemini-cli': geminiCli, 'claude-code': claudeCode, 'codex-cli': codexCli } as const

export type AgentName = keyof typeof AGENTS

/** The adapter of a name. Throws a `TypeError` that lists the names for an unknown one. */
export function adapterOf(
  name: string | undefined,
  further: Readonly<Record<string, AgentAdapter>> = {},
): AgentAdapter {
  const known: Readonly<Record<string, AgentAdapter>> = { ...AGENTS, ...further }
  const wanted = name ?? 'gemini-cli'
  const found = Object.hasOwn(known, wanted) ? known[wanted] : undefined
  if (found !== undefined) return found
  const names = Object.keys(known).join(', ')
  throw new TypeError(
    `agent: "${wanted}" is none of ${names}. Name one of them, or pass an adapter of your own as adapters["${wanted}"].`,
  )
}
