/**
 * The least that any reader in Node must do: split a file on bytes, decode each line, JSON.parse it. JavaScript, because
 * stripping types would cost it a sixth of a second. Prints the number of lines, then waits to be measured and killed.
 *
 *   node bench/bare-loop.js FILE
 */
import { openSync, readSync } from 'node:fs'

const NEWLINE = 10
const file = openSync(process.argv[2] ?? '', 'r')
const buffer = Buffer.allocUnsafe(1 << 20)
let filled = 0
let lines = 0
for (;;) {
  const got = readSync(file, buffer, filled, buffer.length - filled, null)
  if (got === 0) break
  const data = buffer.subarray(0, filled + got)
  let start = 0
  for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
    JSON.parse(data.toString('utf8', start, end))
    lines++
    start = end + 1
  }
  filled = data.length - start
  buffer.copyWithin(0, start, data.length)
}
process.stdout.write(`${lines}\n`)
setInterval(() => undefined, 60_000)
