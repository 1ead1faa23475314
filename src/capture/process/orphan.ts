import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { endTagged } from './process-tag.ts'
import {
  endGroup,
  runProcess,
  type ProcessRequest,
  type ProcessResult,
  type StartedProcess,
} from './run-process.ts'

/** Beside the trace, and passed over like it where the agent's files are looked for. */
const MARK = '.audit_trace.jsonl.agent'

/** Runs an agent or a check that works in `dir`, under a mark by which `endOrphan` finds it once its worker is gone. */
export async function runMarked(
  dir: string,
  request: Omit<ProcessRequest, 'onStart'>,
): Promise<ProcessResult> {
  let mark: { readonly own: StartedProcess; readonly written: Promise<void> } | undefined
  const result = await runProcess({
    ...request,
    onStart: (own) => {
      mark = { own, written: markAgent(dir, own) }
      // Told below; a run in between is not to be interrupted.
      mark.written.catch(() => undefined)
    },
  })
  await mark?.written
  if (mark !== undefined) await unmarkAgent(dir, mark.own)
  return result
}

/**
 * Notes what works in `dir`, so that whoever comes after a worker that was killed can end it: agents and checks
 * outlive their worker, and two in one workspace would overwrite each other.
 */
export async function markAgent(dir: string, { groupId, tag }: StartedProcess): Promise<void> {
  const startedAt = await processStart(groupId)
  await writeFile(path.join(dir, MARK), JSON.stringify({ groupId, startedAt, tag }))
}

/** Takes one's own mark away. Another's stays: it belongs to a later attempt, which may just have ended this one. */
async function unmarkAgent(dir: string, own: Pick<Mark, 'tag'>): Promise<void> {
  const mark = await readMark(dir)
  if (mark !== undefined && mark.tag === own.tag) await rm(path.join(dir, MARK), { force: true })
}

/** Ends all that an earlier worker's agent or check left running in `dir`. Returns whether there was any. */
export async function endOrphan(dir: string): Promise<boolean> {
  const mark = await readMark(dir)
  if (mark === undefined) return false
  const { groupId, startedAt, tag } = mark
  // The number may belong to another process by now; its start does not lie. Group 1 would be everybody.
  const isAlive =
    groupId !== undefined &&
    groupId > 1 &&
    startedAt !== undefined &&
    (await processStart(groupId)) === startedAt
  if (isAlive) endGroup(groupId, 'SIGKILL')
  const hadTagged = tag !== undefined && (await endTagged(tag))
  await unmarkAgent(dir, mark)
  return isAlive || hadTagged
}

interface Mark {
  readonly groupId?: number
  readonly startedAt?: string
  readonly tag?: string
}

/** `undefined` where there is none; empty where it cannot be read: its writer was killed in the middle. */
async function readMark(dir: string): Promise<Mark | undefined> {
  const text = await readFile(path.join(dir, MARK), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return Object(JSON.parse(text)) as Mark
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
