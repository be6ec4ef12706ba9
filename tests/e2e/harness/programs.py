"""What the kernel holds of the agent: its programs, and whether a living process still holds them."""

import json
import os
import re
import subprocess

# All names of programs in bpf/ begin so.
PREFIX = "nsl_"


def programs_present():
    """Ids of all programs in the kernel that are an agent's, this test's or another's."""
    listed = json.loads(subprocess.run(["bpftool", "--json", "prog", "show"], check=True, capture_output=True).stdout)
    return {program["id"] for program in listed if program.get("name", "").startswith(PREFIX)}


def ids_held_by(pid):
    """Ids of the programs that a process holds through its descriptors (of programs and of links)."""
    folder = f"/proc/{pid}/fdinfo"
    held = set()
    try:
        for descriptor in os.listdir(folder):
            with open(f"{folder}/{descriptor}", encoding="ascii", errors="replace") as file:
                held |= {int(number) for number in re.findall(r"^prog_id:\s+(\d+)", file.read(), re.MULTILINE)}
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # gone, or no process of ours
        pass
    return held


def orphaned_programs():
    """Ids of programs that are loaded, or attached, though no process holds them: what a dead agent left behind."""
    present = programs_present()  # before the processes: one that starts meanwhile must not look orphaned
    held = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        held |= ids_held_by(pid)
    return (present - held) & programs_present()


def maps_present():
    """Octets of memory of all maps in the kernel that are an agent's, by their ids."""
    listed = json.loads(subprocess.run(["bpftool", "--json", "map", "show"], check=True, capture_output=True).stdout)
    return {found["id"]: int(found["bytes_memlock"]) for found in listed if found.get("name", "").startswith(PREFIX)}
