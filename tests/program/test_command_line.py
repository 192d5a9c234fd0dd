"""The command line itself: usage errors, completion, verbs that only read."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import COEVAL, CUT, Project, Server, run

NOBODY = 65534


def state_of(folder):
    """Every file and folder below: what is in it, its permissions and its last change."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (content, about.st_mode, about.st_mtime_ns)
    return found


def as_somebody_else():
    """What root, to whom permissions do not apply, puts before a command."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []


def run_without_permission(folder, verb, *arguments, check=0):
    """Runs the program as somebody who may read the project and write nothing in it."""
    command = [*as_somebody_else(), COEVAL, verb, "-C", str(folder), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == check, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


class OnlyReading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if subprocess.run([*as_somebody_else(), "test", "-x", COEVAL]).returncode != 0:
            raise unittest.SkipTest("the program lies where only root can reach it")
        cls.project = Project()
        cls.folder = cls.project.folder
        cls.project.build_and_promote()
        server = Server(cls.project)
        status, answer = server.call("POST", "/v1/predict/risk?now=2024-04-02", {"user": "u7", "amount": 3.5})
        assert status == 200, answer
        cls.prediction = answer["prediction_id"]
        assert server.stop() == 0
        cls.elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        cls.elsewhere.chmod(0o777)
        cls.lock()

    @classmethod
    def lock(cls):
        if os.geteuid() == 0:
            cls.folder.chmod(0o755)
            return
        for path in [cls.folder, *cls.folder.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)

    @classmethod
    def tearDownClass(cls):
        if os.geteuid() != 0:
            for path in [cls.folder, *cls.folder.rglob("*")]:
                path.chmod(path.stat().st_mode | 0o200)
        cls.project.remove()
        shutil.rmtree(cls.elsewhere, ignore_errors=True)

    def test_verbs_that_read_need_no_permission_to_write_and_change_nothing(self):
        before = state_of(self.folder)
        self.assertIn("champion v1", run_without_permission(self.folder, "show").stdout)
        self.assertIn("gate passed", run_without_permission(self.folder, "show", "risk").stdout)
        self.assertIn("finished", run_without_permission(self.folder, "runs").stdout)
        plan = run_without_permission(self.folder, "plan").stdout
        self.assertIn("dataset miss (changed: cut, log)", plan)
        self.assertIn("1 predictions, 0 differ", run_without_permission(self.folder, "audit").stdout)
        self.assertIn(self.prediction, run_without_permission(self.folder, "explain", self.prediction).stdout)
        self.assertIn("the folder that was registered", run_without_permission(self.folder, "doctor").stdout)
        self.assertIn("ok", run_without_permission(self.folder, "check").stdout)
        out = self.elsewhere / "rows.csv"
        run_without_permission(self.folder, "dataset", "risk", "--out", out)
        self.assertGreater(out.stat().st_size, 1000)
        self.assertEqual(state_of(self.folder), before)

    def test_they_change_nothing_for_the_owner_either(self):
        before = state_of(self.folder)
        for arguments in (["show"], ["show", "risk", "--json"], ["plan"], ["runs"], ["runs", "show", "risk@v1"], ["audit"],
                          ["explain", self.prediction], ["doctor"]):
            self.project.run(*arguments)
            self.assertEqual(state_of(self.folder), before, arguments)

    @unittest.skipIf(os.geteuid() != 0, "the server must be another user's")
    def test_they_read_beside_the_server_of_another_user(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        twin.folder.parent.chmod(0o755)
        server = Server(twin)
        # A promotion while the server has the metadata open stands in the write-ahead log.
        twin.run("promote", "risk", "--alias", "shadow")
        self.assertIn("champion v1", run_without_permission(twin.folder, "show").stdout)
        self.assertIn("0 differ", run_without_permission(twin.folder, "audit").stdout)
        self.assertEqual(server.stop(), 0)

    def test_a_verb_that_writes_says_what_it_may_not(self):
        text = run_without_permission(self.folder, "promote", "risk", check=1).stderr
        self.assertIn("meta.sqlite", text)

    def test_looking_at_a_new_project_makes_no_state(self):
        fresh = Project(count=10)
        self.addCleanup(fresh.remove)
        self.assertIn("0 versions", fresh.run("show").stdout)
        self.assertIn("first build", fresh.run("plan").stdout)
        self.assertFalse((fresh.folder / ".coeval").exists())


class UsageErrors(unittest.TestCase):
    def refused(self, *arguments):
        done = run(*arguments, "--json", check=2)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["code"], "C1001", answer)
        self.assertIn("error[C1001]", done.stderr)
        self.assertIn(answer["error"], done.stderr)
        return answer

    def test_they_are_json_on_stdout_when_json_is_asked_for(self):
        self.assertEqual(self.refused("buidl")["advice"], "did you mean 'build'?")
        self.assertIn("--nonsense", self.refused("check", "--nonsense")["error"])
        self.assertIn("--out", self.refused("dataset", "risk")["error"])
        self.refused("serve", "--port", "many")
        self.refused()
        self.refused("explain", "C9999")

    def test_without_json_stdout_stays_empty(self):
        done = run("buidl", check=2)
        self.assertEqual(done.stdout, "")
        self.assertIn("did you mean 'build'?", done.stderr)

    def test_help_is_no_error(self):
        self.assertIn("serve", run("help").stdout)
        self.assertIn("--clock", run("serve", "--help").stdout)

    def test_a_version_is_a_whole_number_from_one_on_and_an_alias_a_plain_name(self):
        project = Project(count=2000)
        self.addCleanup(project.remove)
        project.run("build", check=None)
        for version in ("0", "-1", "1.5", "newest"):
            for verb in ("promote", "show"):
                answer = json.loads(project.run(verb, "risk", "--version", version, "--json", check=2).stdout)
                self.assertEqual(answer["code"], "C1001", answer)
                self.assertIn("--version", answer["error"])
        for verb in ("promote", "show"):
            answer = json.loads(project.run(verb, "risk", "--version", "9", "--json", check=2).stdout)
            self.assertEqual(answer["code"], "C0901", answer)
            self.assertIn("its newest is 1", answer["advice"])
        for alias in ("a b", "", "Champion", "x" * 65, "a/b", "ünsichtbar"):
            for verb in ("promote", "rollback"):
                answer = json.loads(project.run(verb, "risk", "--alias", alias, "--json", check=2).stdout)
                self.assertEqual(answer["code"], "C1001", answer)
                self.assertIn("alias", answer["error"])


def complete_in_bash(script, line):
    """What bash offers for the last word of `line`."""
    words = line.split(" ")
    program = (f"{script}\nCOMP_WORDS=({' '.join(repr(word) for word in words)})\n"
               f"COMP_CWORD={len(words) - 1}\n_coeval\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return sorted(done.stdout.split())


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.verbs = {verb["verb"]: verb for verb in json.loads(run("completion", "--json").stdout)}

    def flags(self, verb):
        return [name for option in self.verbs[verb]["options"] for name in option["names"]]

    def test_the_list_has_what_help_has(self):
        text = run("help").stdout
        self.assertGreater(len(self.verbs), 10)
        for name, verb in self.verbs.items():
            self.assertIn(name, text)
            self.assertIn(verb["description"], text)
            help_text = run(name, "--help").stdout
            for flag in self.flags(name):
                self.assertIn(flag, help_text)
        self.assertNotIn("train-worker", self.verbs)
        clock = next(option for option in self.verbs["serve"]["options"] if "--clock" in option["names"])
        self.assertEqual(clock["choices"], ["system", "data"])
        self.assertTrue(clock["takes_value"])
        as_json = next(option for option in self.verbs["serve"]["options"] if "--json" in option["names"])
        self.assertFalse(as_json["takes_value"])
        self.assertEqual([argument["name"] for argument in self.verbs["ingest"]["arguments"]], ["source", "files"])
        self.assertEqual([argument["many"] for argument in self.verbs["ingest"]["arguments"]], [False, True])

    def test_bash_completes_verbs_flags_and_values(self):
        script = run("completion", "bash").stdout
        self.assertEqual(complete_in_bash(script, "coeval "), sorted(self.verbs))
        self.assertEqual(complete_in_bash(script, "coeval ro"), ["rollback"])
        self.assertEqual(complete_in_bash(script, "coeval serve --cl"), ["--clock"])
        self.assertEqual(complete_in_bash(script, "coeval serve -"), sorted(self.flags("serve")))
        self.assertEqual(complete_in_bash(script, "coeval serve --clock "), ["data", "system"])
        self.assertEqual(complete_in_bash(script, "coeval completion "), ["bash", "fish", "zsh"])
        self.assertEqual(complete_in_bash(script, "coeval completion f"), ["fish"])
        self.assertEqual(complete_in_bash(script, "coeval dataset --out x"), [])  # readline completes files

    def test_every_shell_is_told_every_verb_and_flag(self):
        zsh, fish = run("completion", "zsh").stdout, run("completion", "fish").stdout
        self.assertTrue(zsh.startswith("#compdef coeval\n"))
        for name in self.verbs:
            self.assertIn(f"'{name}:", zsh)
            self.assertIn(f"__fish_use_subcommand -a {name} ", fish)
            block = zsh.split(f"\n    {name}) _arguments")[1].split(";;")[0]
            lines = [line for line in fish.splitlines() if f"__fish_seen_subcommand_from {name}'" in line]
            for flag in self.flags(name):
                self.assertIn(f"'{flag}[", block)
                style = f" -l {flag[2:]} " if flag.startswith("--") else f" -s {flag[1:]} "
                self.assertTrue(any(style in line for line in lines), (name, flag))
        self.assertIn("'--clock[system, or data\\: the log", zsh)
        self.assertIn(":value:(system data)'", zsh)
        self.assertIn("-l clock -x -a 'system data'", fish)

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh_reads_its_script(self):
        script = run("completion", "zsh").stdout
        # compdef and _arguments stand in: what they are given is shown.
        program = ("compdef() { print compdef $@; }\n_describe() { print -rl -- $verbs; }\n"
                   "_arguments() { print -rl -- \"$@\"; }\n" + script +
                   "\nwords=(coeval serve --cl) CURRENT=3\n_coeval\nwords=(coeval s) CURRENT=2\n_coeval\n")
        done = subprocess.run(["zsh", "-f", "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        self.assertIn("compdef _coeval coeval", done.stdout)
        self.assertRegex(done.stdout, r"--clock\[system, or data\\: the log's own time.*\]:value:\(system data\)")
        self.assertIn("rollback:point an alias back", done.stdout)

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish_completes_verbs_flags_and_values(self):
        with tempfile.TemporaryDirectory() as home:
            script = pathlib.Path(home) / "coeval.fish"
            script.write_text(run("completion", "fish").stdout)

            def offered(line):
                done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
                                      capture_output=True, text=True, check=True,
                                      env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home})
                return sorted(entry.split("\t")[0] for entry in done.stdout.splitlines())

            self.assertEqual(offered("coeval ro"), ["rollback"])
            self.assertEqual(offered("coeval serve --cl"), ["--clock"])
            self.assertEqual(offered("coeval serve --clock "), ["data", "system"])
            self.assertEqual(offered("coeval completion "), ["bash", "fish", "zsh"])


class DatasetErrors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(count=500)
        (cls.project.folder / "questions.csv").write_text("at,user\n2024-03-10T12:00:00Z,u7\n")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def features(self, text):
        return self.project.run("dataset", "--features", text, "--questions", self.project.folder / "questions.csv",
                                "--out", self.project.folder / "x.csv", check=2).stderr

    def test_an_unknown_feature_is_underlined_where_it_was_written(self):
        text = self.features("user.orders_1h, user.amuont_1d")
        lines = text.splitlines()
        self.assertIn("--> --features:1:17", lines[1])
        self.assertEqual(lines[3], "1 | user.orders_1h, user.amuont_1d")
        self.assertEqual(lines[4], "  |                 ^^^^^^^^^^^^^^")
        self.assertIn("did you mean 'user.amount_1d'?", text)
        self.assertNotIn("coeval.toml", text)

    def test_a_name_that_is_like_nothing_gets_a_list_and_one_like_a_view_a_suggestion(self):
        text = self.features("nope")
        self.assertIn("unknown input 'nope'", text)
        self.assertIn("1 | nope", text)
        self.assertIn("  | ^^^^", text)
        for known in ("risk", "user"):
            self.assertIn(known, text)
        self.assertIn("did you mean 'risk'?", self.features("rsik"))

    def test_an_expression_of_arrival_is_shown_too(self):
        text = self.project.run("replay", "--from", CUT, "--to", "2024-05-01", "--arrival", "tz + hours(6)",
                                check=2).stderr
        self.assertIn("1 | tz + hours(6)", text)
        self.assertIn("did you mean 'ts'?", text)

    def test_a_folder_that_is_not_there_is_named_before_any_work(self):
        for arguments in (["risk"], ["--features", "user", "--questions", self.project.folder / "questions.csv"]):
            text = self.project.run("dataset", *arguments, "--out", "/nonexist/x.parquet", check=1).stderr
            self.assertIn("C0102", text)
            self.assertIn("there is no folder '/nonexist'", text)
            self.assertIn("mkdir -p", text)
            self.assertNotIn("pending", text)
        self.assertIn("is a folder", self.project.run("dataset", "risk", "--out", self.project.folder,
                                                      check=2).stderr)
        self.assertIn("C0105", self.project.run("dataset", "risk", "--out", self.project.folder / "x.txt",
                                                check=2).stderr)
        inside = self.project.folder / "orders.csv" / "x.csv"
        self.assertIn("no folder", self.project.run("dataset", "risk", "--out", inside, check=2).stderr)


if __name__ == "__main__":
    unittest.main()
