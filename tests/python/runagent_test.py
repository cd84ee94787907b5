#!/usr/bin/env python3
"""runagent: whose environment, which folder, which exit code."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import places

SHOW = 'pwd; echo "$AGENT_STATE_DIR|$AGENT_INSTALL_DIR|$AGENT_ID|$A|$B|${PATH%%:*}"'


class Runagent(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.state = self.home / ".config" / "state"
        self.state.mkdir(parents=True)
        (self.home / ".config" / "bin").mkdir()
        self.elsewhere = self.home / "elsewhere"
        self.elsewhere.mkdir()
        (self.state / "environment").write_text("MODULE_ID=mail1\nA=x $HOME 'y' \\ =z\n")

    def run_it(self, *words, cwd=None, **environment):
        return subprocess.run([places.RUNAGENT, *words], cwd=cwd or self.elsewhere, text=True,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.home),
                                   **environment},
                              capture_output=True, timeout=30, check=False)

    def shown(self, *options, **others):
        done = self.run_it(*options, "sh", "-c", SHOW, **others)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        folder, line = done.stdout.splitlines()
        return [folder, *line.split("|")]

    def test_the_users_module(self):
        install = self.home / ".config"
        self.assertEqual(self.shown(), [str(self.state), str(self.state), str(install),
                                        "module/mail1", "x $HOME 'y' \\ =z", "",
                                        str(install / "bin")])

    def test_the_folder_may_stay(self):
        folder, state = self.shown("-c")[:2]
        self.assertEqual((folder, state), (str(self.elsewhere), str(self.state)))

    def test_the_folder_that_a_unit_names(self):
        (self.elsewhere / "environment").write_text("A=1\n")
        self.assertEqual(self.shown()[:5], [str(self.elsewhere), str(self.elsewhere),
                                            str(self.home), "", "1"])
        # Who is in a module's environment stays there.
        self.assertEqual(self.shown(AGENT_STATE_DIR=str(self.state))[1], str(self.state))

    def test_in_a_folder_without_anything_nothing_is_read(self):
        folder, state, *_ = self.shown(HOME="/nonexistent")
        self.assertEqual((folder, state), (str(self.elsewhere), str(self.elsewhere)))

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_what_another_user_left_is_not_read(self):
        (self.elsewhere / "environment").write_text("A=1\n")
        os.chown(self.elsewhere / "environment", 65534, 65534)
        self.assertEqual(self.shown(HOME="/nonexistent")[4], "")

    def test_odd_lines_do_no_harm(self):
        (self.state / "environment").write_text(
            "# A=5\n\nA-B=1\n1A=2\n=3\nnothing\n $(touch harm)=4\nB=`touch harm`$(touch harm)\nA=last")
        self.assertEqual(self.shown()[4:6], ["last", "`touch harm`$(touch harm)"])
        self.assertEqual([path.name for path in self.state.iterdir()], ["environment"])

    def test_the_later_file_wins(self):
        (self.state / "agent.env").write_text("A=1\nB=2\n")
        self.assertEqual(self.shown()[4:6], ["x $HOME 'y' \\ =z", "2"])

    def test_exit_codes(self):
        self.assertEqual(self.run_it("sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.run_it("no-such-program").returncode, 127)
        self.assertEqual(self.run_it().returncode, 64)
        self.assertEqual(self.run_it("-x", "true").returncode, 64)

    def test_a_program_is_given_its_words(self):
        done = self.run_it("printf", "%s\n", "a b", "", "-c", "*")
        self.assertEqual(done.stdout, "a b\n\n-c\n*\n")

    def with_fakes(self, user_id, *words):
        """root, or a user, as `id` says; what changes the user only tells how it was called."""
        fakes = self.home / "fakes"
        fakes.mkdir()
        texts = {"id": 'case $1 in -un) echo me ;; *) echo %d ;; esac' % user_id,
                 "getent": '[ "$2" = mail1 ] && echo "mail1:x:990:991::%s:/bin/sh"' % self.home,
                 "setpriv": 'echo "$@"; echo "${MODULE_ID-none}"'}
        for name, text in texts.items():
            (fakes / name).write_text("#!/bin/sh\n%s\n" % text)
            (fakes / name).chmod(0o755)
        return self.run_it(*words, PATH="%s:%s" % (fakes, os.environ["PATH"]), MODULE_ID="old")

    def test_root_becomes_the_modules_user(self):
        done = self.with_fakes(0, "-c", "-m", "mail1", "prog", "a b")
        self.assertEqual(done.stdout.splitlines(), [
            "--reuid=990 --regid=991 --init-groups env HOME=%s USER=mail1 LOGNAME=mail1 "
            "XDG_RUNTIME_DIR=/run/user/990 AGENT_STATE_DIR=%s %s -c prog a b"
            % (self.home, self.state, places.RUNAGENT), "none"])

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes another user")
    def test_root_really_becomes_that_user(self):
        fakes = self.home / "fakes"
        fakes.mkdir()
        (fakes / "getent").write_text('#!/bin/sh\necho "nobody:x:65534:65534::%s:/bin/sh"\n' % self.home)
        (fakes / "getent").chmod(0o755)
        self.home.chmod(0o755)
        done = self.run_it("-m", "nobody", "sh", "-c", 'id -u; id -g; id -G; echo "$HOME $AGENT_ID"; pwd',
                           PATH="%s:%s" % (fakes, os.environ["PATH"]))
        self.assertEqual((done.returncode, done.stdout.splitlines()),
                         (0, ["65534", "65534", "65534", "%s module/mail1" % self.home,
                              str(self.state)]), done)

    def test_a_user_that_is_not_there(self):
        done = self.with_fakes(0, "-m", "other", "prog")
        self.assertEqual(done.returncode, 64)
        self.assertIn("other", done.stderr)

    def test_a_user_stays_who_it_is(self):
        done = self.with_fakes(1000, "-m", "mail1", "sh", "-c", 'echo "$MODULE_ID"')
        self.assertEqual((done.returncode, done.stdout), (0, "mail1\n"))
        self.assertIn("ignored", done.stderr)


if __name__ == "__main__":
    unittest.main()
