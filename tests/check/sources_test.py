#!/usr/bin/env -S python3 -B
"""Each check of sources.py on a sample that breaches it, and all of them on samples that do not."""

import pathlib
import tempfile
import unittest

import sources

H = "// What it is.\n#pragma once\n"
SPDX = "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n"

# check, file, text, line of the breach
BREACHES = [
    ("include_direction", "userspace/base/a.cc", '#include "sigma/ast.h"\n', 1),
    ("include_direction", "userspace/sigma/a.h", H + '#include "compile/plan.h"\n', 3),
    ("include_direction", "userspace/lists/a.h", H + '#include "sigma/ast.h"\n', 3),
    ("include_direction", "userspace/compile/a.cc", '#include "kernel/sensor.h"\n', 1),
    ("include_direction", "userspace/kernel/a.cc", '  #  include "match/match.h"\n', 1),
    ("include_direction", "userspace/event/a.cc", '#include "sink/sink.h"\n', 1),
    ("include_direction", "userspace/sink/a.cc", '#include "identity/process.h"\n', 1),
    ("include_direction", "userspace/agent/a.cc", '\n#include "cli/run.h"\n', 2),
    ("known_folders", "userspace/helpers/a.cc", "int x;\n", 1),
    ("known_folders", "userspace/a.cc", "int x;\n", 1),
    ("libraries_in_their_place", "userspace/lists/a.cc", "#include <yaml-cpp/yaml.h>\n", 1),
    ("libraries_in_their_place", "userspace/agent/pipeline.cc", "#include <yaml-cpp/yaml.h>\n", 1),
    ("libraries_in_their_place", "userspace/cli/doctor.cc", "#include <bpf/libbpf.h>\n", 1),
    ("libraries_in_their_place", "userspace/agent/a.cc", '#include "sendmsg_fentry.skel.h"\n', 1),
    ("libraries_in_their_place", "userspace/cli/decode.cc", "#include <google/protobuf/message.h>\n", 1),
    ("libraries_in_their_place", "userspace/match/a.cc", '#include "nslookout/v1/event.pb.h"\n', 1),
    ("json_is_written_by_one", "userspace/cli/a.cc", "std::cout << json.dump(2);\n", 1),
    ("kernel_side_stands_alone", "bpf/a.bpf.h", H + '#include "userspace/base/fd.h"\n', 3),
    ("kernel_side_stands_alone", "bpf/a.h", H + '#include "base/dns_name.h"\n', 3),
    ("kernel_side_stands_alone", "bpf/a.bpf.c", SPDX + '#include "../userspace/base/fd.h"\n', 2),
    ("kernel_programs_are_licensed", "bpf/a.bpf.c", "/* no licence */\n", 1),
    ("headers_guard_themselves", "userspace/base/a.h", "// What it is.\n", 1),
    ("headers_guard_themselves", "bpf/a.h", "/* What it is. */\n// #pragma once\n", 1),
    ("headers_say_what_they_are", "userspace/base/a.h", "#pragma once\n", 1),
    ("files_stay_readable", "userspace/base/a.cc", "int x;\n" * (sources.MAX_LINES + 1), sources.MAX_LINES + 2),
    ("nothing_is_left_unfinished", "userspace/base/a.cc", "int x;  // TO" "DO: more\n", 1),
    ("nothing_is_left_unfinished", "docs/a.md", "fix" "me later\n", 1),
    ("nothing_is_left_unfinished", "README.md", "\nA place" "holder.\n", 2),
    ("no_path_of_one_machine", "dev", "cd /wo" "rk/tree\n", 1),
    ("no_path_of_one_machine", "docs/a.md", "see /ho" "me/someone/notes\n", 1),
    ("no_path_of_one_machine", "tests/a.sh", "cp x /ro" "ot/x\n", 1),
    ("links_lead_somewhere", "docs/a.md", "\nsee [b](b.md#part)\n", 2),
]

GOOD = {
    "userspace/base/a.h": H,
    "userspace/sigma/a.cc": '#include "base/a.h"\n#include "sigma/a.h"\n#include <yaml-cpp/yaml.h>\n',
    "userspace/compile/a.cc": '#include "bpf/abi.h"\n#include "lists/feed.h"\n',
    "userspace/kernel/a.cc": '#include <bpf/libbpf.h>\n#include "cgroup.skel.h"\n#include "compile/kernel_tables.h"\n',
    "userspace/agent/config.cc": "#include <yaml-cpp/yaml.h>\n",
    "userspace/event/a.cc": "#include <google/protobuf/message.h>\n",
    "userspace/cli/a.cc": '#include "agent/agent.h"\n',
    "bpf/abi.h": "/* What it is. */\n#pragma once\n",
    "bpf/a.bpf.c": SPDX + '#include "abi.h"\n#include "bpf/abi.h"\n#include <bpf/bpf_helpers.h>\n',
    "bpf/vmlinux/x86.h": H + "int x;\n" * 5000,
    "docs/a.md": "mktemp /tmp/name.XXXXXX, /proc/1/root/etc, /home/dev/project, todo.example, readability-todo\n",
    "docs/b.md": "[a](a.md), [a](a.md#part), [here](#part), [far](https://example.test/x.md), [up](../bpf/abi.h)\n",
    "build/generated.h": "TO" "DO\n",
    "rules/bytes.bin": "\0 TO" "DO\n",
}


def breaches_of(files):
    with tempfile.TemporaryDirectory() as top:
        for path, text in files.items():
            target = pathlib.Path(top, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return [(check, path, line) for check, path, line, _ in sources.breaches(top)]


class Sources(unittest.TestCase):
    def test_breaches_are_found_alone_and_where_they_are(self):
        for check, path, text, line in BREACHES:
            with self.subTest(check=check, path=path, text=text[:60]):
                self.assertEqual([(check, path, line)], breaches_of({path: text}))

    def test_good_tree_has_none(self):
        self.assertEqual([], breaches_of(GOOD))

    def test_every_check_has_a_breaching_sample(self):
        self.assertEqual({check.__name__ for check in sources.CHECKS}, {check for check, *_ in BREACHES})


if __name__ == "__main__":
    unittest.main()
