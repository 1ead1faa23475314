import fs from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWorld, TRACE, type World } from '../tail/world.ts'

/**
 * One file's content from its creation, or from its last truncation, on: every line in it is unique, so
 * what was read of it can be told exactly.
 */
interface Content {
  readonly name: number
  readonly lines: string[]
  /** Of a line that has no end yet. */
  partial: string
  /** Where it stands, `undefined` once it was deleted or cut away. */
  path: string | undefined
  /** The tail has seen it; `knownForGood` once that is committed. */
  known: boolean
  knownForGood: boolean
  /** Its name is no longer the one that is watched. */
  rotated: boolean
  /** And it has never had a name that is the watched one plus a suffix: only a tail that has seen it before finds it. */
  hidden: boolean
}

const RUNS = Number(process.env['MODEL_RUNS'] ?? 150)
const LONG = { timeout: 90_000 + RUNS * 300 }
const MAX_LINE_BYTES = 120
const SLICE_BYTES = 48

const LENGTHS = fc.constantFrom(0, 1, 7, 40, 60, 115, 400)
const PLACE = fc.integer({ min: 0, max: 1 })
const OPERATIONS = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      at: PLACE,
      lengths: fc.array(LENGTHS, { maxLength: 30 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('part' as const),
      at: PLACE,
      length: LENGTHS,
      wide: fc.boolean(),
    }),
  },
  ...(['rotate', 'truncate', 'regrow', 'delete', 'replace', 'look'] as const).map((kind) => ({
    weight: kind === 'look' ? 3 : 1,
    arbitrary: fc.record({ kind: fc.constant(kind), at: PLACE }),
  })),
  ...(['rotateAway', 'flash', 'copy', 'draft'] as const).map((kind) => ({
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant(kind), at: PLACE }),
  })),
  ...(['deleteRotated', 'scan', 'poll', 'drain', 'drainOne', 'commit', 'crash'] as const).map((kind) => ({
    weight: kind === 'deleteRotated' ? 1 : 3,
    arbitrary: fc.record({ kind: fc.constant(kind) }),
  })),
)
type Operation = typeof OPERATIONS extends fc.Arbitrary<infer T> ? T : never

/** The real files, and what is known of them without asking the tail. */
function createModel(world: World) {
  const all: Content[] = []
  const places = [world.root, path.join(world.root, 'other')].map((directory) => path.join(directory, TRACE))
  for (const place of places) fs.mkdirSync(path.dirname(place), { recursive: true })
  let names = 0
  let copies = 0

  const current = (place: string): Content | undefined => all.find((content) => content.path === place)

  function begin(place: string, known: boolean, knownForGood: boolean): Content {
    const content = {
      name: names++,
      lines: [],
      partial: '',
      path: place,
      known,
      knownForGood,
      rotated: false,
      hidden: false,
    }
    all.push(content)
    return content
  }

  function write(content: Content, text: string): void {
    if (content.path === undefined) throw new Error('this content is gone')
    fs.appendFileSync(content.path, text)
    const parts = (content.partial + text).split('\n')
    content.partial = parts.pop() ?? ''
    content.lines.push(...parts)
  }

  const ensure = (place: string): Content => {
    const found = current(place)
    if (found !== undefined) return found
    fs.writeFileSync(place, '')
    return begin(place, false, false)
  }

  /** A line that no other content has; too long for `MAX_LINE_BYTES` from 115 on. */
  const line = (content: Content, length: number, wide = false): string =>
    `${content.name}:${content.lines.length}:${(wide ? 'é😀' : 'x').repeat(length)}`

  function cut(content: Content): Content {
    const { path: place = '' } = content
    fs.truncateSync(place)
    content.path = undefined
    return begin(place, content.known, content.knownForGood)
  }

  return {
    all,
    places,
    current,
    append(at: number, lengths: readonly number[]) {
      const content = ensure(places[at] as string)
      for (const length of lengths) {
        // A first line completes what stands unfinished; only then does the next get its number.
        write(content, content.partial === '' ? `${line(content, length)}\n` : `${'y'.repeat(length)}\n`)
      }
    },
    part(at: number, length: number, wide: boolean) {
      const content = ensure(places[at] as string)
      const text = content.partial === '' ? line(content, length, wide) : 'z'.repeat(length)
      // Within a character, where there is one that has several bytes: append the rest at once.
      write(content, text)
    },
    /** To the watched name plus a suffix, or to any other name. */
    rotate(at: number, any = false) {
      const content = current(places[at] as string)
      if (content?.path === undefined) return
      const to = any
        ? path.join(path.dirname(content.path), `aside-${content.name}`)
        : `${content.path}${content.name % 2 === 0 ? '.' : '-'}${content.name}`
      fs.renameSync(content.path, to)
      content.path = to
      content.rotated = true
      content.hidden = any
    },
    /** Files that are created, written and rotated away before anybody can look. */
    flash(at: number) {
      for (let i = 0; i < 3; i++) {
        if (i > 0) this.rotate(at)
        this.append(at, [3, 40])
      }
      this.rotate(at)
    },
    /** What is written beside it is a copy, and the original goes on. */
    copy(at: number) {
      const content = current(places[at] as string)
      if (content === undefined || content.lines.every((line) => line === '')) return
      fs.copyFileSync(content.path ?? '', `${content.path}.copy${copies++}`)
    },
    /** Written beside under a suffix, then renamed to the watched name. */
    draft(at: number) {
      const place = places[at] as string
      this.rotate(at)
      fs.writeFileSync(`${place}.new`, '')
      const content = begin(`${place}.new`, false, false)
      write(content, `${line(content, 3)}\n${line(content, 4)}`)
      fs.renameSync(`${place}.new`, place)
      content.path = place
    },
    truncate(at: number) {
      const content = current(places[at] as string)
      if (content !== undefined) cut(content)
    },
    /** Cut off and grown past its old size before anybody looks. */
    regrow(at: number) {
      const content = current(places[at] as string)
      if (content?.path === undefined) return
      const { size } = fs.statSync(content.path)
      const next = cut(content)
      while (fs.statSync(next.path ?? '').size <= size) write(next, `${line(next, 40)}\n`)
    },
    delete(content: Content | undefined) {
      if (content?.path === undefined) return
      fs.unlinkSync(content.path)
      content.path = undefined
    },
    replace(at: number) {
      const place = places[at] as string
      const draft = path.join(world.root, 'draft')
      fs.writeFileSync(draft, '')
      const before = current(place)
      if (before !== undefined) before.path = undefined
      fs.renameSync(draft, place)
      const content = begin(place, false, false)
      write(content, `${line(content, 3)}\n${line(content, 4)}`)
    },
    rotated: () => all.find((content) => content.rotated && content.path !== undefined),
    /** The tail has looked at everything, or at one place. */
    looked(place?: string) {
      for (const content of all) {
        if (content.path === undefined || content.hidden) continue
        if (place === undefined || content.path === place) content.known = true
      }
    },
    committed() {
      for (const content of all) content.knownForGood = content.known
    },
    crashed() {
      for (const content of all) content.known = content.knownForGood
    },
  }
}
type Model = ReturnType<typeof createModel>

async function apply(operation: Operation, world: World, model: Model): Promise<void> {
  switch (operation.kind) {
    case 'append':
      return model.append(operation.at, operation.lengths)
    case 'part':
      return model.part(operation.at, operation.length, operation.wide)
    case 'rotate':
      return model.rotate(operation.at)
    case 'rotateAway':
      return model.rotate(operation.at, true)
    case 'flash':
      return model.flash(operation.at)
    case 'copy':
      return model.copy(operation.at)
    case 'draft':
      return model.draft(operation.at)
    case 'truncate':
      return model.truncate(operation.at)
    case 'regrow':
      return model.regrow(operation.at)
    case 'delete':
      return model.delete(model.current(model.places[operation.at] as string))
    case 'replace':
      return model.replace(operation.at)
    case 'deleteRotated':
      return model.delete(model.rotated())
    case 'look': {
      const place = model.places[operation.at] as string
      await world.tail.look(place)
      return model.looked(place)
    }
    case 'scan':
      await world.tail.scan()
      return model.looked()
    case 'poll':
      return world.tail.poll()
    case 'drain':
      return world.drain()
    case 'drainOne': {
      let left = 2
      await world.tail.drain(() => left-- === 0)
      return undefined
    }
    case 'commit':
      world.commit()
      return model.committed()
    case 'crash':
      await world.crash()
      return model.crashed()
    default:
      throw new Error('no such operation')
  }
}

const isLong = (line: string): boolean => Buffer.byteLength(line) > MAX_LINE_BYTES
const readable = (content: Content): string[] => content.lines.filter((line) => !isLong(line) && line !== '')

/** At any time: no line twice, none that was not written, and of each content a beginning without gaps. */
function expectNothingWrong(world: World, model: Model): void {
  world.assertBalance()
  const { lines } = world.tally
  const known = new Set<string>()
  for (const content of model.all) {
    const written = readable(content)
    const read = written.filter((line) => lines.has(line))
    expect(read, `content ${content.name} has gaps`).toEqual(written.slice(0, read.length))
    for (const line of written) known.add(line)
  }
  for (const [line, times] of lines) {
    expect(times, `${line} was handed on`).toBe(1)
    expect(known.has(line), `${line} was written`).toBe(true)
  }
}

/** In the end: everything that can still be read has been. */
function expectAllRead(world: World, model: Model): void {
  for (const content of model.all) {
    // Renamed to any name before it was ever seen, a file cannot be told from any other.
    if (content.path === undefined || (content.hidden && !content.known)) continue
    // Nobody knows whether it is a copy in the making.
    if (content.rotated && !content.known && content.lines.every((line) => line === '')) continue
    for (const line of readable(content)) expect(world.tally.lines.has(line), `${line} was read`).toBe(true)
  }
}

test(
  'whatever happens to files and process, every line is read once, and all that can be read is',
  LONG,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(OPERATIONS, { maxLength: 50, size: 'max' }), async (operations) => {
        const world = createWorld({ maxLineBytes: MAX_LINE_BYTES, sliceBytes: SLICE_BYTES, maxOpenFiles: 3 })
        try {
          const model = createModel(world)
          for (const operation of operations) {
            await apply(operation, world, model)
            expectNothingWrong(world, model)
          }
          await world.catchUp()
          model.looked()
          await world.catchUp()
          expectNothingWrong(world, model)
          expectAllRead(world, model)
        } finally {
          await world.end()
        }
      }),
      // To look for a smaller case may take longer than to find one.
      { numRuns: RUNS, interruptAfterTimeLimit: 60_000 + RUNS * 200 },
    )
  },
)
