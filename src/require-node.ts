// The first import of each entry point: the one sentence that says so, before anything else fails.
import { nodeVersionFault } from './node-version.ts'

const fault = nodeVersionFault()
if (fault !== undefined) throw new Error(fault)
