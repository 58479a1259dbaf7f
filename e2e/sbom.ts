import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Prints what is deployed as a software bill of materials in CycloneDX. `npm sbom --omit dev` leaves out packages that
 * a development tool needs, too, such as zod (npm 11.19): so npm lists all, and what is only development's goes here.
 */

interface Component {
  readonly 'bom-ref': string;
  readonly scope?: string;
  readonly properties?: readonly { readonly name: string }[];
}

interface Bom {
  /** npm names the root after its folder. */
  readonly metadata: { readonly component: Component & { readonly name: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const NOT_DEPLOYED = ['cdx:npm:package:development', 'cdx:npm:package:private'];

/** The Node.js of scripts and tests, which toolchain/ asks for, is optional: not every platform has it as a package. */
const isDeployed = ({ scope, properties = [] }: Component) =>
  scope !== 'optional' && !properties.some(({ name }) => NOT_DEPLOYED.includes(name));

// Whoever calls this with `npm run --silent` would silence also what npm says of a failure.
const words = ['sbom', '--sbom-format', 'cyclonedx', '--loglevel=error'];
const { status, stdout, stderr, error } = spawnSync('npm', words, {
  cwd: resolve(import.meta.dirname, '..'),
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (status !== 0) throw new Error(`npm sbom failed: ${stderr}`, { cause: error });
const bom: Bom = JSON.parse(stdout);
const components = bom.components.filter(isDeployed);
const refs = new Set([bom.metadata.component, ...components].map((each) => each['bom-ref']));
const dependencies = bom.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map((each) => ({ ...each, dependsOn: each.dependsOn.filter((ref) => refs.has(ref)) }));
const { name } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8'));
const metadata = { ...bom.metadata, component: { ...bom.metadata.component, name } };
process.stdout.write(
  `${JSON.stringify({ ...bom, metadata, components, dependencies }, undefined, 2)}\n`,
);
