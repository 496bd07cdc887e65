#!/usr/bin/env python3
"""Many containers at once for the scan benchmarks: namespaces and cgroups as real ones have, without a runtime's cost.

Prints `ready` when all are there, and ends them all on SIGTERM, SIGINT, or the end of its standard input. Should it be
killed, the kernel ends them (parent-death signal), and in any case each ends by itself after an hour.
"""
import argparse
import ctypes
import hashlib
import os
import select
import signal
import sys
import time
import uuid

CLONE = {'mnt': 0x20000, 'uts': 0x4000000, 'ipc': 0x8000000, 'user': 0x10000000, 'pid': 0x20000000, 'net': 0x40000000}
PR_SET_PDEATHSIG = 1
LIFETIME_SECONDS = '3600'
MAX_PROCESSES = 20_000
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f'{what}: {os.strerror(ctypes.get_errno())}')


def hierarchies():
    """The hierarchies that a container's cgroup is made in: the unified one, and on hybrid machines systemd's."""
    found = []
    with open('/proc/self/mounts') as mounts:
        for line in mounts:
            _, point, kind, options = line.split()[:4]
            if kind == 'cgroup2' or (kind == 'cgroup' and 'name=systemd' in options.split(',')):
                found.append(point)
    if not found:
        sys.exit('spawn-processes: no cgroup hierarchy is mounted')
    return found


def cgroup_of(index):
    """Two containers a pod, the shapes and service classes that kubelets make."""
    pod = str(uuid.UUID(hashlib.md5(b'pod %d' % (index // 2)).hexdigest()))
    container = hashlib.sha256(b'container %d' % index).hexdigest()
    shapes = (
        f'kubepods/besteffort/pod{pod}/{container}',
        f'kubepods/burstable/pod{pod}/{container}',
        f'kubepods/pod{pod}/{container}',
        f'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{pod.replace("-", "_")}.slice'
        f'/cri-containerd-{container}.scope',
    )
    return shapes[index // 2 % len(shapes)]


def start(index, arguments, directories, own_pid_namespace):
    """Starts one container; returns the pid of its init."""
    # The flag stays on the starter for its next child: go back to its own namespace first.
    check(LIBC.setns(own_pid_namespace, CLONE['pid']), 'setns')
    check(LIBC.unshare(CLONE['pid']), 'unshare')
    told_read, told_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(told_read)
        os.close(mapped_write)
        try:
            become_container(index, arguments, directories, told_write, mapped_read)
        except BaseException as error:
            os.write(2, f'spawn-processes: {error}\n'.encode())
        os._exit(1)
    os.close(told_write)
    os.close(mapped_read)
    try:
        # First byte: the namespaces are there, and wait for their id mappings.
        if os.read(told_read, 1) != b'1':
            raise RuntimeError(f'container {index} did not start')
        if has_user_namespace(index):
            first = 65536 * (1 + index // 2)
            for kind in ('uid_map', 'gid_map'):
                with open(f'/proc/{init}/{kind}', 'w') as file:
                    file.write(f'0 {first} 65536')
        os.write(mapped_write, b'1')
        # Then the end of the pipe: every process has replaced itself by the program, which closes its copy.
        if os.read(told_read, 2) != b'2' or os.read(told_read, 1) != b'':
            raise RuntimeError(f'container {index} did not start all its processes')
    except BaseException:
        os.kill(init, signal.SIGKILL)
        os.waitpid(init, 0)
        raise
    finally:
        os.close(told_read)
        os.close(mapped_write)
    return init


def has_user_namespace(index):
    return index // 2 % 2 == 1


def become_container(index, arguments, directories, told, mapped):
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, signal.SIG_DFL)
    null = os.open('/dev/null', os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    for directory in directories:
        with open(f'{directory}/cgroup.procs', 'w') as file:
            file.write('0')
    user = CLONE['user'] if has_user_namespace(index) else 0
    check(LIBC.unshare(user | CLONE['mnt'] | CLONE['uts'] | CLONE['ipc'] | CLONE['net']), 'unshare')
    # After unshare: a change of credentials clears it.
    check(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), 'prctl')
    os.write(told, b'1')
    if os.read(mapped, 1) != b'1':
        return
    for _ in range(arguments.processes - 1):
        if os.fork() == 0:
            os.execv(arguments.program, ['sleep', LIFETIME_SECONDS])
    os.write(told, b'2')
    os.execv(arguments.program, ['sleep', LIFETIME_SECONDS])


def remove(path, roots):
    """Removes a cgroup and its parents as far as they are empty."""
    while path not in roots:
        for _ in range(50):
            try:
                os.rmdir(path)
            except FileNotFoundError:
                pass
            except OSError:
                with open(f'{path}/cgroup.procs') as file:
                    if any(entry.is_dir() for entry in os.scandir(path)) or file.read():
                        return
                time.sleep(0.01)
                continue
            break
        path = os.path.dirname(path)


def main():
    parser = argparse.ArgumentParser(description='many containers for scan benchmarks')
    parser.add_argument('--containers', type=int, default=100)
    parser.add_argument('--processes', type=int, default=1, help='in each container')
    parser.add_argument('--prefix', required=True, help='the cgroup that holds all others, for example /bench-1234')
    parser.add_argument('--program', required=True, help='busybox, or another program that sleeps when called sleep')
    arguments = parser.parse_args()
    total = arguments.containers * arguments.processes
    if arguments.containers < 1 or arguments.processes < 1 or total > MAX_PROCESSES:
        parser.error(f'from 1 to {MAX_PROCESSES} processes in all, not {total}')
    prefix = arguments.prefix.strip('/')
    if not prefix or '..' in prefix.split('/'):
        parser.error('--prefix names a cgroup below the root')

    def stop(*_):
        raise KeyboardInterrupt

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)
    roots = hierarchies()
    made, inits = [], []
    try:
        own_pid_namespace = os.open('/proc/self/ns/pid', os.O_RDONLY)
        for index in range(arguments.containers):
            directories = [f'{root}/{prefix}/{cgroup_of(index)}' for root in roots]
            made += directories
            for directory in directories:
                os.makedirs(directory, exist_ok=True)
            inits.append(start(index, arguments, directories, own_pid_namespace))
        print('ready', flush=True)
        while True:
            select.select([sys.stdin], [], [])
            if not os.read(0, 4096):
                break
    except KeyboardInterrupt:
        pass
    finally:
        # Nothing may interrupt the clean-up.
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, signal.SIG_IGN)
        for init in inits:
            os.kill(init, signal.SIGKILL)
        for init in inits:
            os.waitpid(init, 0)
        for directory in made:
            remove(directory, roots)


if __name__ == '__main__':
    main()
