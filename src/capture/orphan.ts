import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { endGroup } from './run-process.ts'

/** Beside the trace, and passed over like it where the agent's files are looked for. */
const MARK = '.audit_trace.jsonl.agent'

/**
 * Notes which process group works in `dir`, so that whoever comes after a worker that was killed can end it:
 * the agent itself outlives its worker, and two agents in one workspace would overwrite each other.
 */
export async function markAgent(dir: string, groupId: number): Promise<void> {
  const startedAt = await processStart(groupId)
  await writeFile(path.join(dir, MARK), JSON.stringify({ groupId, startedAt }))
}

export const unmarkAgent = (dir: string): Promise<void> => rm(path.join(dir, MARK), { force: true })

/** Ends an agent that an earlier worker left running in `dir`. Returns whether there was one. */
export async function endOrphan(dir: string): Promise<boolean> {
  const text = await readFile(path.join(dir, MARK), 'utf8').catch(() => undefined)
  if (text === undefined) return false
  await unmarkAgent(dir)
  const { groupId, startedAt } = parseMark(text)
  // The number may belong to another process by now; its start does not lie.
  if (groupId === undefined || startedAt === undefined) return false
  if ((await processStart(groupId)) !== startedAt) return false
  endGroup(groupId, 'SIGKILL')
  return true
}

function parseMark(text: string): { groupId?: number; startedAt?: string } {
  try {
    return JSON.parse(text) as { groupId?: number; startedAt?: string }
  } catch {
    return {}
  }
}

/** Clock ticks from boot to the process's start (Linux); `undefined` where there is none or it cannot be told. */
async function processStart(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined)
  // The name, in parentheses, may hold anything: count from behind it. The start is the 22nd field.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}
