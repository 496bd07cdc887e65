import { type ModuleSwitches, NAMESPACE_SYSCTLS, type NamespaceSysctl } from '../core/facts.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** Every sysctl that limits namespaces; one that this kernel does not have is `absent`. */
export function readNamespaceSysctls(host: HostFs): Readonly<Record<NamespaceSysctl, Reading<number>>> {
  const entries = NAMESPACE_SYSCTLS.map((name) => {
    // None of these names has a dot inside a component, so dots are slashes (sysctl(8)).
    const text = host.readText(`/proc/sys/${name.replaceAll('.', '/')}`, 4096);
    return [name, andThen(text, parseInteger)] as const;
  });
  return Object.fromEntries(entries) as Record<NamespaceSysctl, Reading<number>>;
}

/** A whole file that is one decimal number. */
export function parseInteger(text: string, source: string): Reading<number> {
  const value = text.trim();
  if (!/^-?\d{1,15}$/.test(value)) return unread(source, 'malformed', `"${value.slice(0, 40)}" is not a number`);
  return read(source, Number(value));
}

/** The switches Red Hat added to the kernel of RHEL 7; absent on every other kernel (docs/rules/user-namespace-boot-parameter.md). */
export function readModuleSwitches(host: HostFs): ModuleSwitches {
  return {
    userNamespaceEnable: andThen(
      host.readText('/sys/module/user_namespace/parameters/enable', 4096),
      parseModuleBoolean,
    ),
    namespaceUnprivEnable: andThen(
      host.readText('/sys/module/namespace/parameters/unpriv_enable', 4096),
      parseModuleBoolean,
    ),
  };
}

/** A module parameter of type bool, shown as `Y` or `N` (kernel/params.c, param_get_bool). */
export function parseModuleBoolean(text: string, source: string): Reading<boolean> {
  const value = text.trim();
  if (/^[Yy1]$/.test(value)) return read(source, true);
  if (/^[Nn0]$/.test(value)) return read(source, false);
  return unread(source, 'malformed', `"${value.slice(0, 40)}" is neither Y nor N`);
}
