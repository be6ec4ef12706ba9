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


def ids_held_by(pid, what="prog"):
    """Ids of the programs (or of the maps) that a process holds through its descriptors, those of links too."""
    folder = f"/proc/{pid}/fdinfo"
    held = set()
    try:
        for descriptor in os.listdir(folder):
            with open(f"{folder}/{descriptor}", encoding="ascii", errors="replace") as file:
                held |= {int(number) for number in re.findall(rf"^{what}_id:\s+(\d+)", file.read(), re.MULTILINE)}
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


def _bpftool(*arguments):
    answer = subprocess.run(["bpftool", "--json", *arguments], check=False, capture_output=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else []  # gone meanwhile


def maps_of(pid):
    """Octets of memory of the maps that a process holds, and of those that are within them, by their ids."""
    listed = {found["id"]: found for found in _bpftool("map", "show")}
    held = ids_held_by(pid, "map") & set(listed)
    for number in list(held):
        if listed[number]["type"] == "array_of_maps":
            inner = [element["value"] for element in _bpftool("map", "dump", "id", str(number)) if "value" in element]
            held |= {int.from_bytes(bytes(int(octet, 16) for octet in value), "little") for value in inner
                     if isinstance(value, list)} & set(listed)
    return {number: int(listed[number]["bytes_memlock"]) for number in held}
