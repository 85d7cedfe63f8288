#!/usr/bin/env python3
"""The prompt in a terminal of its own: completion, history, several lines, Ctrl-C and Ctrl-D.

    test_repl.py [--ferry PATH]        (else FERRY, or what is built in target/)

What is typed goes through a pseudo-terminal, and every step waits for what must be shown; nothing is timed. Python 3.11,
standard library only, on systems that have pseudo-terminals.
"""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILT = [str(ROOT / "target" / profile / "ferry") for profile in ("release", "debug")]
FERRY = os.environ.get("FERRY") or next(filter(os.path.exists, BUILT), None)
LONGEST = 60
PROMPT = "ferry> "
WRITING = "ferry (writes)> "
TAB, UP, CTRL_C, CTRL_D, CTRL_U = "\t", "\x1b[A", "\x03", "\x04", "\x15"


def plain(text):
    """The text without what moves the cursor or colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\r|\x00", "", text)


class Terminal:
    def __init__(self, *words, home):
        self.seen = ""
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm", "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home,
                       "FERRY_STATE": home + "/state", "NO_COLOR": "1"}
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.execve(FERRY, [FERRY, *words], environment)
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))

    def read(self):
        ready, _, _ = select.select([self.tty], [], [], 1)
        if not ready:
            return True
        try:
            data = os.read(self.tty, 65536)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def offer(self, text, shown):
        """Types something until it shows: what is typed while the prompt is being drawn may be lost."""
        for _ in range(6):
            self.type(text)
            try:
                return self.until(shown, 8)
            except AssertionError:
                self.type(CTRL_U)
        raise AssertionError(f"{text!r} does not show {shown!r}")

    def until(self, words, longest=LONGEST):
        """Waits until it has been shown, and forgets what came before."""
        end = time.monotonic() + longest
        while words not in plain(self.seen):
            if time.monotonic() > end or not self.read():
                raise AssertionError(f"{words!r} was not shown, but:\n{plain(self.seen)[-1500:]}")
        text = plain(self.seen)
        self.seen = text[text.index(words) + len(words):]
        return text

    def type(self, text):
        os.write(self.tty, text.encode())

    def line(self, text, shown, prompt=PROMPT):
        self.type(text + "\n")
        out = self.until(shown)
        self.until(prompt)
        return out

    def end(self):
        end = time.monotonic() + LONGEST
        while self.read():
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.tty)
        return os.waitstatus_to_exitcode(status)


class ThePrompt(unittest.TestCase):
    def setUp(self):
        if not FERRY:
            self.skipTest("no binary is built, and FERRY names none")
        self.folder = tempfile.TemporaryDirectory()
        self.terminal = Terminal("repl", "--sim", home=self.folder.name)
        self.terminal.until(PROMPT)

    def tearDown(self):
        # One after the other: between two lines the terminal itself would take Ctrl-D.
        self.terminal.type(CTRL_C)
        self.terminal.until("> ")
        self.terminal.type(CTRL_D)
        code = self.terminal.end()
        self.folder.cleanup()
        self.assertEqual(code, 0, "Ctrl-D ends the prompt with 0")

    def test_completes_modules_functions_variables_and_keys(self):
        t = self.terminal
        for typed, shown in (("federated" + TAB, "federated_credential::"), ("federated_credential::li" + TAB, "list("), (":wri" + TAB, ":write")):
            t.offer(typed, shown)
            t.type(CTRL_U)
        t.line("let unusual = #{ alpha: 1, beta: 22 }", "")
        t.offer("unus" + TAB, "unusual")
        t.type(".be" + TAB)
        t.until("beta")
        t.line("", "22")

    def test_takes_several_lines_and_keeps_a_history(self):
        t = self.terminal
        t.type("fn twice(x) {\n")
        t.type("x * 2\n")
        t.line("}", "")
        t.line("twice(21)", "42")
        t.offer(UP, "twice(21)")
        t.line("", "42")

    def test_ctrl_c_stops_a_call_and_keeps_the_session(self):
        t = self.terminal
        t.line("let kept = 41", "")
        t.type("loop {}\n")
        t.until("loop {}")
        time.sleep(0.5)  # So that the loop runs; were it not yet, Ctrl-C would take the line back, with the same end.
        t.type(CTRL_C)
        t.until(PROMPT)
        t.type("run::wait(45)\n")
        t.until("run::wait(45)")
        time.sleep(0.5)
        began = time.monotonic()
        t.type(CTRL_C)
        t.until(PROMPT)
        self.assertLess(time.monotonic() - began, 30, "the wait was sat out")
        t.line("kept + 1", "42")

    def test_shows_lists_of_maps_as_tables_and_help_by_name(self):
        t = self.terminal
        # What is waited for stands in the answer alone, not in the line that is typed.
        out = t.line("[#{ name: \"o\" + \"ne\", n: 1 }, #{ name: \"t\" + \"wo\", n: 2 }]", "two")
        self.assertRegex(out, r"[│|]")
        t.line(":help role_assignment::ensure", "Grants a role")

    def test_refuses_writes_until_they_are_allowed(self):
        t = self.terminal
        t.line("let id = subscription::list()[0].id + \"/resourceGroups/rg-made\"", "")
        write = "arm::put(id, #{ location: \"westeurope\" }).name"
        t.line(write, "read-only")
        t.line(":write on", "journaled", WRITING)
        t.line(write, "rg-made", WRITING)
        t.line(":write off", "refused")


if __name__ == "__main__":
    if "--ferry" in sys.argv:
        at = sys.argv.index("--ferry")
        FERRY = str(pathlib.Path(sys.argv[at + 1]).resolve())
        del sys.argv[at:at + 2]
    unittest.main()
