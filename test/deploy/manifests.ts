import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { requireGoModule } from '../setup/go-module.ts'
import { requireGoProgram } from '../setup/go-program.ts'
import { requirePythonPackage } from '../setup/python-package.ts'

export const KUBERNETES = path.resolve(import.meta.dirname, '../../deploy/kubernetes')

/** The directories that somebody applies. `sidecar` is a part of others; `job` contains it. */
export const APPLIED = ['deployment', 'daemonset', 'job', 'monitoring'] as const

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}
export interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly restartPolicy?: string
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly securityContext?: SecurityContext
  readonly resources?: { readonly requests?: object; readonly limits?: object }
  readonly volumeMounts?: readonly { name: string; mountPath: string; readOnly?: boolean }[]
}
interface SecurityContext {
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
  readonly seccompProfile?: { readonly type: string }
}
export interface PodSpec {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly ({ readonly name: string } & Readonly<Record<string, unknown>>)[]
  readonly securityContext?: SecurityContext & { readonly fsGroup?: number }
  readonly terminationGracePeriodSeconds?: number
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
}
export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: PodSpec
}

/** What kustomize builds of a directory. */
export async function kustomize(directory: string): Promise<Manifest[]> {
  const program = await requireGoProgram('kustomize')
  const output = execFileSync(program, ['build', directory], { encoding: 'utf8', maxBuffer: 1 << 26 })
  return parseAllDocuments(output).map((document) => document.toJS() as Manifest)
}

/** The faults of each manifest, in the same order. */
export async function faultsOf(objects: readonly object[]): Promise<string[][]> {
  const { python, directory } = await requirePythonPackage('kubernetes-validate==1.37.0')
  const operator = requireGoModule('github.com/prometheus-operator/prometheus-operator@v0.85.0')
  const definitions = ['podmonitors', 'prometheusrules'].map(
    (plural) =>
      parse(
        readFileSync(
          path.join(operator, `example/prometheus-operator-crd/monitoring.coreos.com_${plural}.yaml`),
          'utf8',
        ),
      ) as object,
  )
  const output = execFileSync(python, [path.join(import.meta.dirname, 'validate.py')], {
    input: JSON.stringify({ objects, definitions }),
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: directory },
    maxBuffer: 1 << 26,
  })
  return JSON.parse(output) as string[][]
}

/** The pods that a manifest makes. */
export const podTemplates = (manifests: readonly Manifest[]): PodTemplate[] =>
  manifests.flatMap(({ kind, spec }) =>
    ['Deployment', 'DaemonSet', 'Job'].includes(kind) ? [spec?.['template'] as PodTemplate] : [],
  )

export const containersOf = ({ containers, initContainers = [] }: PodSpec): Container[] => [
  ...initContainers,
  ...containers,
]

/** Volumes that the Pod Security level `restricted` allows. */
const ALLOWED_VOLUMES = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
)

/** What keeps a pod from the Pod Security level `restricted`; empty if nothing does. */
export function violations(pod: PodSpec): string[] {
  const ofPod = pod.securityContext ?? {}
  const volumes = (pod.volumes ?? []).flatMap((volume) =>
    Object.keys(volume)
      .filter((key) => key !== 'name' && !ALLOWED_VOLUMES.has(key))
      .map((key) => `volume ${volume.name}: ${key}`),
  )
  const namespaces = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => pod[name] === true)
  const containers = containersOf(pod).flatMap(({ name, securityContext: own = {} }) => {
    const effective = { ...ofPod, ...own }
    const { capabilities: { drop = [], add = [] } = {} } = own
    const found = {
      runAsNonRoot: effective.runAsNonRoot !== true,
      runAsUser: effective.runAsUser === 0,
      seccompProfile: !['RuntimeDefault', 'Localhost'].includes(effective.seccompProfile?.type ?? ''),
      privileged: own.privileged === true,
      allowPrivilegeEscalation: own.allowPrivilegeEscalation !== false,
      capabilities: !drop.includes('ALL') || add.some((capability) => capability !== 'NET_BIND_SERVICE'),
    }
    return Object.entries(found).flatMap(([what, is]) => (is ? [`container ${name}: ${what}`] : []))
  })
  return [...namespaces, ...volumes, ...containers]
}
