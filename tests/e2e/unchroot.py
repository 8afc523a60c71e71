# SPDX-License-Identifier: Apache-2.0
"""unchroot.py PROGRAM ARGUMENTS…: runs it with the same files, and not in a chroot.

The kernel gives no user namespace to who is in a chroot, and a container cannot change its root there. In
a mount namespace of its own, which this needs to be called in, the tree can become the true root.
"""

import ctypes
import os
import sys

CLONE_NEWNS = 0x20000
MS_BIND, MS_MOVE, MS_REC = 0x1000, 0x2000, 0x4000

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, flags):
    check(libc.mount(source.encode(), target.encode(), None, flags, None), f"mount on {target}")


def root_mount():
    """The number of the mount that is the root; None where the root is a directory below one."""
    with open("/proc/thread-self/mountinfo", encoding="utf-8") as f:
        of_path = {line.split()[4]: line.split()[0] for line in f}
    return of_path.get("/")


def leave():
    here = os.open("/", os.O_PATH | os.O_DIRECTORY)
    inside = root_mount()
    with open("/proc/thread-self/ns/mnt", "rb") as namespace:
        check(libc.setns(namespace.fileno(), CLONE_NEWNS), "setns")  # its root is the namespace's
    os.fchdir(here)
    os.close(here)
    if os.path.exists("/proc/thread-self/mountinfo") and root_mount() == inside:
        return
    tree = os.getcwd()
    mount(tree, tree, MS_BIND | MS_REC)
    os.chdir(tree)
    mount(tree, "/", MS_MOVE)
    os.chroot(".")


if __name__ == "__main__":
    directory = os.getcwd()
    leave()
    os.chdir(directory)
    os.execvp(sys.argv[1], sys.argv[1:])
