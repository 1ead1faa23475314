import { requireGoProgram } from './go-program.ts'
import { requireProgram } from './programs.ts'

/**
 * Generations of Prometheus that everything we ship must work with: 2 is Debian's package, 3 what the compose file
 * runs. They differ in PromQL: a range selector of Prometheus 2 includes a sample on its left boundary.
 */
export const GENERATIONS = ['2', '3'] as const

export type Generation = (typeof GENERATIONS)[number]

/** The path of the server or of promtool. Skips the test without it; see programs.ts and go-program.ts. */
export const requireGeneration = async (
  generation: Generation,
  program: 'prometheus' | 'promtool',
): Promise<string> => (generation === '2' ? requireProgram(program) : requireGoProgram(program))
