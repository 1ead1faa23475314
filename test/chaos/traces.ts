import fs from 'node:fs'
import path from 'node:path'
import type { Random } from '../../src/simulate/random.ts'
import { BYTE_ORDER_MARK, createBuilds, entryLine, type Line } from './lines.ts'

/**
 * What one file has held from its making, or its last truncation, on. `risked` are lines that were written
 * right before the content was destroyed: the exporter may have read any number of them, from the first on.
 */
interface Content {
  readonly id: number
  path: string
  readonly lines: Line[]
  readonly risked: { slot: number; lines: Line[] } | undefined
  /** Bytes of the last line that are still to be written. */
  rest: Buffer
  rotated: boolean
  /** The exporter has committed that it knows this file: only then is it found under any name. */
  known: boolean
  gone: boolean
}

interface Growing extends Content {
  risked: { slot: number; lines: Line[] } | undefined
  readonly next: (nowMs: number) => Line
}

const TRACE = 'audit_trace.jsonl'
const MAX_FILES = 24
/** Steps that lines at risk are counted under; each has its series from the start on. */
export const riskStep = (slot: number): string => `risk_${slot}`

export interface Traces {
  readonly contents: readonly Content[]
  /** Lines written so far. */
  lineCount(): number
  /** Bytes that the exporter must have seen, with so many of the lines at risk in each slot. */
  expectedBytes(readAtRisk: (slot: number) => number): number
  /** The lines of every file, as far as they count. */
  countable(readAtRisk: (slot: number) => number): Line[][]
  /** What stands there at the first start. */
  baseline(): void
  /**
   * Appends, begins files, renames, copies: loses nothing, whether the exporter runs or not. `isDurable` says whether the
   * state on disk knows the file at a path.
   */
  harmless(random: Random, isDurable: (path: string) => boolean): void
  /** Cuts off, deletes, replaces: to be done when all lines are ended and read; may put lines at risk first. */
  destroy(random: Random): void
  /** The exporter has committed all that stands in the files. */
  allKnown(): void
  /** Ends every unfinished line. */
  finishLines(): void
}

/** Writes to real files and keeps what it wrote. `progress` goes from 0 to 1. */
export function createTraces(root: string, seed: Random, slots: number, progress: () => number): Traces {
  const contents: Growing[] = []
  let lines = 0
  let nextSlot = 0
  let copies = 0

  function begin(at: string, known = false): Growing {
    const id = contents.length
    const builds = createBuilds(seed, `run-${id}`, progress)
    const content: Growing = {
      id,
      path: at,
      lines: [],
      risked: undefined,
      rest: Buffer.alloc(0),
      rotated: false,
      known,
      gone: false,
      next: builds.next,
    }
    contents.push(content)
    return content
  }

  function create(random: Random): Growing {
    const depth = random.integer(0, 2)
    const directory = path.join(root, `b${contents.length}`, ...Array.from({ length: depth }, () => 'deeper'))
    fs.mkdirSync(directory, { recursive: true })
    const content = begin(path.join(directory, TRACE))
    fs.writeFileSync(content.path, '')
    if (random.chance(0.2)) put(content, [BYTE_ORDER_MARK])
    write(content, random)
    return content
  }

  /** Lines that are whole on disk, after what was left of the one before. */
  function put(content: Growing, all: readonly Line[]): void {
    fs.appendFileSync(content.path, Buffer.concat([content.rest, ...all.map(({ bytes }) => bytes)]))
    content.rest = Buffer.alloc(0)
    content.lines.push(...all)
    lines += all.length
  }

  /** Some lines, at once or one by one; now and then the last of them only in part. */
  function write(content: Growing, random: Random): void {
    const fresh = Array.from({ length: random.integer(1, 12) }, () => content.next(Date.now()))
    if (random.chance(0.5)) put(content, fresh)
    else for (const line of fresh) put(content, [line])
    if (!random.chance(0.4)) return
    const last = content.next(Date.now())
    const split = random.integer(1, last.bytes.length - 1)
    fs.appendFileSync(content.path, last.bytes.subarray(0, split))
    content.lines.push(last)
    content.rest = last.bytes.subarray(split)
    lines++
  }

  function finish(content: Growing): void {
    if (content.rest.length > 0) put(content, [])
  }

  const living = (): Growing[] => contents.filter(({ gone }) => !gone)
  const named = (): Growing[] => living().filter(({ rotated }) => !rotated)

  /** To the watched name plus a suffix, or to any other name. */
  function rotate(content: Growing, random: Random, anyName = false): void {
    const { path: at } = content
    if (!content.known) makeRecognisable(content)
    const to = anyName
      ? path.join(path.dirname(at), `aside-${content.id}`)
      : `${at}${random.pick(['.', '-20261125-', '_'])}${content.id}`
    fs.renameSync(at, to)
    content.path = to
    content.rotated = true
    if (random.chance(0.8)) replant(at, random)
  }

  /**
   * A file that was never seen is told from a copy by its first line and its first KiB: odd lines are equal in many
   * files, so a short one must begin with an entry, which no other has.
   */
  function makeRecognisable(content: Growing): void {
    finish(content)
    const begins = content.lines.find(({ kind }) => kind !== 'skipped')?.kind
    if (begins === 'entry') return
    while (content.lines.reduce((bytes, line) => bytes + line.bytes.length, 0) < 2_048 || !hasText(content))
      put(content, [content.next(Date.now())])
  }

  const hasText = ({ lines: all }: Content): boolean => all.some(({ kind }) => kind !== 'skipped')

  function replant(at: string, random: Random): Growing {
    const fresh = begin(at)
    fs.writeFileSync(at, '')
    write(fresh, random)
    return fresh
  }

  /** Files that are rotated away within milliseconds, so that hardly any is ever seen under the watched name. */
  function flash(random: Random): void {
    let content = random.chance(0.5) ? create(random) : random.pick(named())
    for (let i = random.integer(1, 3); i > 0; i--) {
      const at = content.path
      rotate(content, random)
      if (i === 1 || content.path === at) return
      content = contents.find((other) => other.path === at && !other.gone) ?? replant(at, random)
    }
  }

  /** A backup beside a file, which goes on. */
  function copy(content: Growing, random: Random): void {
    const name = random.pick(['.bak', '.copy', '-backup', '.1.orig'])
    fs.copyFileSync(content.path, `${content.path}${name}${copies++}`)
  }

  function risk(content: Growing, random: Random): void {
    if (nextSlot >= slots) return
    const slot = nextSlot++
    const risked = Array.from({ length: random.integer(1, 40) }, () => riskLine(slot, 'burst', random))
    content.risked = { slot, lines: risked }
    fs.appendFileSync(content.path, Buffer.concat(risked.map(({ bytes }) => bytes)))
    lines += risked.length
  }

  const riskLine = (slot: number, run: string, random: Random): Line =>
    entryLine(
      {
        workflow_run_id: `${run}-${slot}`,
        step_name: riskStep(slot),
        timestamp: new Date().toISOString(),
        completion_token_count: random.integer(1, 1_000),
      },
      random,
    )

  /** The same file with other content, in its place. */
  function cut(content: Growing, random: Random): void {
    const { size } = fs.statSync(content.path)
    if (random.chance(0.3)) fs.copyFileSync(content.path, `${content.path}.copy`)
    fs.truncateSync(content.path)
    content.gone = true
    const fresh = begin(content.path, true)
    fresh.rotated = content.rotated
    write(fresh, random)
    // Half of them past the old size before anybody can look.
    if (random.chance(0.5)) while (fs.statSync(fresh.path).size <= size) write(fresh, random)
  }

  function replace(content: Growing, random: Random): void {
    const draft = begin(`${content.path}.draft`)
    fs.writeFileSync(draft.path, '')
    write(draft, random)
    fs.renameSync(draft.path, content.path)
    draft.path = content.path
    content.gone = true
  }

  function remove(content: Growing, random: Random): void {
    fs.unlinkSync(content.path)
    content.gone = true
    // A new file at the old path, often with the old inode.
    if (content.rotated || random.chance(0.5)) return
    const fresh = begin(content.path)
    fs.writeFileSync(fresh.path, '')
    write(fresh, random)
  }

  return {
    contents,
    lineCount: () => lines,
    expectedBytes(readAtRisk) {
      let bytes = 0
      for (const content of contents) {
        for (const line of content.lines) bytes += line.bytes.length
        bytes -= content.rest.length
        const { risked } = content
        for (const line of risked?.lines.slice(0, readAtRisk(risked.slot)) ?? []) bytes += line.bytes.length
      }
      return bytes
    },
    countable: (readAtRisk) =>
      contents.map(({ lines: certain, risked }) => [
        ...certain,
        ...(risked?.lines.slice(0, readAtRisk(risked.slot)) ?? []),
      ]),
    baseline() {
      const first = create(seed)
      for (let slot = 0; slot < slots; slot++) put(first, [riskLine(slot, 'first', seed)])
      for (let i = 0; i < 4; i++) create(seed)
      for (const content of contents) finish(content)
    },
    harmless(random, isDurable) {
      const candidates = named()
      if (candidates.length === 0 || (living().length < MAX_FILES && random.chance(0.12))) {
        create(random)
        return
      }
      if (living().length < MAX_FILES && random.chance(0.05)) return flash(random)
      const content = random.pick(random.chance(0.9) ? candidates : living())
      if (random.chance(0.04)) copy(content, random)
      else if (content.rotated || !random.chance(0.15)) write(content, random)
      else if (random.chance(0.6)) rotate(content, random)
      else {
        content.known ||= isDurable(content.path)
        if (content.known) rotate(content, random, true)
      }
    },
    destroy(random) {
      const content = random.pick(living())
      const how = random.integer(0, 2)
      const atRisk = random.chance(0.4)
      if (atRisk) risk(content, random)
      if (how === 0) cut(content, random)
      else if (how === 1 && !content.rotated) replace(content, random)
      else remove(content, random)
    },
    allKnown() {
      for (const content of living()) content.known = true
    },
    finishLines() {
      for (const content of living()) finish(content)
    },
  }
}
