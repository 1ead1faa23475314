import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { revisionRules } from './revisions.ts'

/** Writes the rules that are generated. */
const file = path.join(import.meta.dirname, 'rules', 'revisions.yml')
writeFileSync(file, revisionRules())
console.log(path.relative(process.cwd(), file))
