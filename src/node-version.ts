/**
 * What is wrong with the version of Node.js that runs this, in one sentence; `undefined` if nothing is. Needed are
 * `node:sqlite` without a flag, and `require` of ES modules.
 * This file and `require-node.ts` must run on versions that are too old: no syntax, import or global that is new.
 */
export function nodeVersionFault(): string | undefined {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major > 23 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13)) return undefined
  return `audit-trace-capture and audit-trace-exporter need Node.js 22.13 or newer, and this is Node.js ${node} (${process.execPath}).`
}
