"""A disk that is full soon."""

import pathlib
import subprocess


class SmallDisk:
    """A file system of its own, in the mount namespace of the test. size: as mount(8) has it. Removed by remove()."""

    def __init__(self, folder, size):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.folder], check=True)

    def grow(self, size):
        """There is space again."""
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def remove(self):
        subprocess.run(["umount", "--lazy", self.folder], check=True)
