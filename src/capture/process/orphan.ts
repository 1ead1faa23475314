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

/** Stands next to the trace; like the trace, it is ignored when the agent's files are listed. */
const MARK = '.audit_trace.jsonl.agent'

/** Runs an agent or a check in `dir` and keeps a mark there, with which `endOrphan` finds it if its worker dies. */
export async function runMarked(
  dir: string,
  request: Omit<ProcessRequest, 'onStart'>,
): Promise<ProcessResult> {
  let mark: { readonly own: StartedProcess; readonly written: Promise<void> } | undefined
  const result = await runProcess({
    ...request,
    onStart: (own) => {
      mark = { own, written: markAgent(dir, own) }
      // Thrown below, after the run. This handler only prevents an unhandled rejection meanwhile.
      mark.written.catch(() => undefined)
    },
  })
  await mark?.written
  if (mark !== undefined) await unmarkAgent(dir, mark.own)
  return result
}

/**
 * Records which process works in `dir`. Agents and checks outlive a killed worker, and two in one workspace would
 * overwrite each other's files: the next worker ends the recorded one first.
 */
export async function markAgent(dir: string, { groupId, tag }: StartedProcess): Promise<void> {
  const startedAt = await processStart(groupId)
  await writeFile(path.join(dir, MARK), JSON.stringify({ groupId, startedAt, tag }))
}

/** Removes the mark if it is our own. Another mark belongs to a later attempt, which may have just ended this one. */
async function unmarkAgent(dir: string, own: Pick<Mark, 'tag'>): Promise<void> {
  const mark = await readMark(dir)
  if (mark !== undefined && mark.tag === own.tag) await rm(path.join(dir, MARK), { force: true })
}

/** Ends every process that an earlier worker's agent or check left running in `dir`. Returns whether there was one. */
export async function endOrphan(dir: string): Promise<boolean> {
  const mark = await readMark(dir)
  if (mark === undefined) return false
  const { groupId, startedAt, tag } = mark
  // The pid may have been reused: the start time tells. Group 1 would address every process.
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

/** `undefined` if there is no mark; empty if it is incomplete, because its writer was killed. */
async function readMark(dir: string): Promise<Mark | undefined> {
  const text = await readFile(path.join(dir, MARK), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return Object(JSON.parse(text)) as Mark
  } catch {
    return {}
  }
}

/** Clock ticks from boot to the start of the process (Linux); `undefined` if unknown. */
async function processStart(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined)
  // The name in parentheses may contain anything: count fields from its end. The start time is field 22.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}
