import { findProgram } from './find-program.ts'
import { buildGoProgram, GO_PROGRAMS, type GoProgram } from './go-build.ts'

// Prints the path of a program in GO_PROGRAMS, for shell scripts; builds it if it is missing.
const [name] = process.argv.slice(2)
if (name === undefined || !(name in GO_PROGRAMS))
  throw new Error(`usage: go-program-path.ts ${Object.keys(GO_PROGRAMS).join('|')}`)
console.log(await buildGoProgram(name as GoProgram, () => findProgram('go') ?? 'go'))
