#!/usr/bin/env -S python3 -B
"""`nslookout report --html` in a headless Chromium: what the page shows, its keys, and that nothing in it runs or loads."""

import base64
import hashlib
import re
import subprocess
import sys
import tempfile
import unittest

from harness import binary, main, work_folder
from harness.browser import Browser, browser_program
from harness.sample_job import CALLS_HOME, SampleJob, package_of, sample_job
from harness.sandbox import SKIPPED

HOSTILE = ("</script><script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">",
           "<!--<script>", "javascript:document.title='owned'", "\u202ecod.exe\u2066", "\x1b]0;owned\x07", "&lt;b&gt;", "@data@ @script@",
           "]]>\u2028\u2029", "__proto__", "constructor", "${alert(1)}", "'\"`\\")
ROW_TEXTS = "[...document.querySelectorAll('.row')].map((row) => row.innerText.replace(/\\s+/g, ' ').trim())"
CHOSEN = "document.querySelector('.row[aria-selected=true]')?.innerText.replace(/\\s+/g, ' ').trim()"
# The lowest contrast of text against what is behind it, over everything that is seen (WCAG 2.2, 1.4.3).
LOWEST_CONTRAST = """(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = channels(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0.99) return color;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ''];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('script, style, noscript')) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, element.className + ': ' + element.textContent];
  }
  return lowest;
})()"""


def hostile_job():
    job = SampleJob()
    for number, text in enumerate(HOSTILE):
        process = job.process(5000 + number, f"/tmp/{text}", [text, text], user=text, cwd=text, script=text)
        rule = {**CALLS_HOME, "id": text, "title": text, "level": text, "file": text}
        origin = package_of(text, text, text, ci={"system": "x", "job": text, "step": text})
        job.ask(process, f"a{number}.{text}", number, text, rule, origin=origin, container={"id": text, "image": text, "name": text})
    return job


def large_job(lookups):
    job = SampleJob()
    make = job.process(4000, "/usr/bin/make", ["make"])
    for number in range(lookups // 10):
        process = job.process(10000 + number, "/usr/bin/curl", ["curl", f"https://host{number}.example"], make)
        for name in range(10):
            job.ask(process, f"n{name}.host{number}.example", number / 100)
    job.ask(make, "sfrclak.com", 1, "A", CALLS_HOME, "ACTION_BLOCKED")
    return job


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.profile = tempfile.TemporaryDirectory(dir=work_folder())
        cls.browser = Browser(cls.profile.name)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.profile.cleanup()

    def file(self, job, *options):
        name = self.id().rpartition(".")[2]
        events, page = (work_folder() / f"{name}.{end}" for end in ("jsonl", "html"))
        job.write(events)
        made = subprocess.run([binary(), "report", events, "--html", page, *options], capture_output=True, text=True)
        self.assertEqual((made.returncode, made.stdout), (0, ""), made.stderr)
        return page

    def open(self, job, *options, **how):
        path = self.file(job, *options)
        page = self.browser.page(path.as_uri(), **how)
        self.addCleanup(self.assert_clean, page)
        return page

    def assert_clean(self, page):
        self.assertEqual(page.complaints(), [])
        self.assertEqual(len(page.requests()), 1, page.requests())

    def test_who_asked_what(self):
        page = self.open(sample_job(), "--title", "acme/shop / build")
        self.assertEqual(page.evaluate("document.getElementById('title').textContent"), "acme/shop / build")
        self.assertEqual(page.evaluate("document.getElementById('verdict').textContent"), "2 names matched, 1 blocked.")
        self.assertIn("Nothing was lost.", page.evaluate("document.getElementById('losses').textContent"))
        rows = page.evaluate(ROW_TEXTS)
        self.assertRegex(rows[0], "Runner.Worker")
        at = next(number for number, row in enumerate(rows) if "setup.js" in row)
        self.assertIn("package npm plain-crypto-js 4.2.1 postinstall", rows[at])
        self.assertRegex(rows[at + 1], r"^sfrclak\.com A, AAAA blocked 00:21:31 2$")
        self.assertTrue(any("container postgres:16" in row for row in rows), rows)
        detail = page.evaluate("document.getElementById('detail').innerText")
        for text in ("Name of the axios compromise", "node setup.js", "Runner.Worker spawnclient"):
            self.assertIn(text, detail)
        self.assertGreater(page.evaluate("document.querySelectorAll('#chart rect.blocked').length"), 0)

    def test_keys(self):
        page = self.open(sample_job())
        whole = len(page.evaluate(ROW_TEXTS))
        page.key("b")
        self.assertEqual(page.evaluate("document.getElementById('only-blocked').getAttribute('aria-pressed')"), "true")
        self.assertFalse(any("github.com" in row for row in page.evaluate(ROW_TEXTS)))
        page.key("b", "m")
        self.assertEqual(page.evaluate("document.getElementById('status').textContent"), "2 names, 4 lookups")
        page.key("Escape", "/")
        self.assertEqual(page.evaluate("document.activeElement.id"), "search")
        page.type("plain-crypto b")  # letters here are text
        self.assertEqual(page.evaluate("document.getElementById('only-blocked').getAttribute('aria-pressed')"), "false")
        self.assertEqual({row.split()[0] for row in page.evaluate(ROW_TEXTS) if row.endswith(("1", "2")) and "blocked" in row},
                         {"sfrclak.com"})
        page.key("Enter")
        self.assertEqual(page.evaluate("document.activeElement.id"), "rows")
        page.key("ArrowDown")
        self.assertEqual(page.evaluate("document.getElementById('rows').getAttribute('aria-activedescendant')"), "row1")
        page.key("ArrowLeft")
        self.assertIn("setup.js", page.evaluate(CHOSEN))
        open_rows = len(page.evaluate(ROW_TEXTS))
        page.key("ArrowLeft")
        self.assertLess(len(page.evaluate(ROW_TEXTS)), open_rows)
        self.assertIn("blocked", page.evaluate(CHOSEN))  # what is folded away is said
        page.key("Escape", "*")
        self.assertEqual(len(page.evaluate(ROW_TEXTS)), whole)
        page.key("n")
        self.assertRegex(page.evaluate(ROW_TEXTS)[0], "^▸ sfrclak.com node, curl blocked 3$")
        page.key("?")
        self.assertTrue(page.evaluate("document.getElementById('keys').open"))
        page.key("m")  # not for the page behind
        self.assertEqual(page.evaluate("document.getElementById('only-matched').getAttribute('aria-pressed')"), "false")

    def test_a_span_of_time(self):
        page = self.open(sample_job())
        page.key("l", "ArrowLeft")
        self.assertEqual(page.evaluate("document.getElementById('status').textContent"), "1 name, 1 lookup")
        self.assertIn("paste.ngrok.example", page.evaluate(ROW_TEXTS)[-1])
        page.key("Escape")
        self.assertEqual(page.evaluate("document.getElementById('status').textContent"), "")

    def test_nothing_hostile_runs(self):
        page = self.open(hostile_job(), "--title", HOSTILE[0])
        for key in ("n", "*", *["ArrowDown"] * 2 * len(HOSTILE), "t", *["ArrowDown"] * 2 * len(HOSTILE)):
            page.key(key)
        self.assertNotIn("owned", page.evaluate("document.title").replace(HOSTILE[0], ""))
        self.assertEqual(page.evaluate("document.querySelectorAll('img, iframe, object, script').length"), 2)
        shown = page.evaluate("document.body.innerText")
        self.assertIn("onerror=", shown)
        for character in ("\u202e", "\u2066", "\x1b"):
            self.assertNotIn(character, shown)

    def test_losses_stand_out(self):
        job = sample_job()
        del job.events[5]
        job.events.append({**job.events[-1], "kind": "KIND_LOSS", "dns": None, "rules": [], "sequence": "0",
                           "losses": [{"stage": "ring_full", "count": "12"}]})
        page = self.open(job)
        losses = page.evaluate("document.getElementById('losses').innerText")
        self.assertIn("The sensor lost 12 at the stage ring_full.", losses)
        self.assertIn("1 event of the sensor's are not in the file.", losses)

    def test_sizes_and_colours(self):
        for width, dark in ((360, False), (360, True), (1440, False), (1440, True)):
            with self.subTest(width=width, dark=dark):
                page = self.open(sample_job(), width=width, height=800, dark=dark)
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                contrast, where = page.evaluate(LOWEST_CONTRAST)
                self.assertGreaterEqual(contrast, 4.5, where)

    def test_many_lookups(self):
        page = self.open(large_job(20_000))
        self.assertLess(page.evaluate("document.querySelectorAll('.row').length"), 200)
        page.key("/")
        page.type("host1999.example n7")
        rows = page.evaluate(ROW_TEXTS)
        self.assertTrue(any(row.startswith("n7.host1999.example") for row in rows), rows)
        page.key("Escape", "Escape", "End")
        self.assertIn("host", page.evaluate(CHOSEN))
        last = page.evaluate("document.querySelector('.row[aria-selected=true]').getBoundingClientRect().bottom")
        self.assertLessEqual(last, 900)

    def test_the_policy_names_what_runs(self):
        text = self.file(sample_job()).read_text()
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
        self.assertIn("default-src 'none'", policy)
        for element, directive in ((re.search(r"<style>(.*?)</style>", text, re.S), "style-src"),
                                   (re.search(r"<script>(.*?)</script>", text, re.S), "script-src")):
            digest = base64.b64encode(hashlib.sha256(element[1].encode()).digest()).decode()
            self.assertIn(f"{directive} 'sha256-{digest}'", policy)


if __name__ == "__main__":
    if browser_program() is None:
        print("skipped: no Chromium is installed (./dev packages test); "
              "unit/report_page runs the page's script without one")
        sys.exit(SKIPPED)
    main()
