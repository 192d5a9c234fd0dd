#!/usr/bin/env python3
"""Every zone against two readers of the same tables that are not ours: Python's zoneinfo and the C library.

    zone_oracle.py ANSWERS TZDATA     ANSWERS is the program coeval_zone_answers, TZDATA third_party/tzdata

The questions: around every change before 2100, in UTC and by the clock, inside gaps and repeated hours;
and random moments of years 1 to 9999 (zoneinfo) and of the whole range of int64 microseconds (C library).
"""

import datetime
import os
import pathlib
import random
import struct
import subprocess
import sys
import time
import zoneinfo

SECOND = 1_000_000
DAY = 86_400
EPOCH = datetime.datetime(1970, 1, 1)
EPOCH_UTC = EPOCH.replace(tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)
FIRST, LAST = -2_208_988_800, 4_102_444_800  # 1900 and 2100
PYTHON = (-62_135_000_000, 253_402_000_000)  # years 1 to 9999, and room for an offset
RANGE = (-(2**63), 2**63 - 1)
RANDOM_EACH = 120  # moments of each of the kinds below
STEP = 20 * DAY  # no rule changes twice within it


def in_us(delta):
    return delta // MICROSECOND


def offset_us(zone, us):
    return in_us((EPOCH_UTC + us * MICROSECOND).astimezone(zone).utcoffset())


def utc_us(zone, local_us):
    """The moment of a local time, and whether zoneinfo had to be put right: where a rule's change does not
    change the offset (Nuuk, 28 October 2023) it gives a moment that, by itself, shows another time."""
    local = EPOCH + local_us * MICROSECOND
    direct = local_us - in_us(local.replace(tzinfo=zone, fold=0).utcoffset())
    if direct + offset_us(zone, direct) == local_us:
        return direct, False
    offsets = {offset_us(zone, local_us + shift) for shift in (-DAY * SECOND, 0, DAY * SECOND)}
    shown = [local_us - offset for offset in offsets if offset_us(zone, local_us - offset) == offset]
    return (min(shown), True) if shown else (direct, False)


def listed_changes(file):
    """The times that a TZif file lists: the header is 44 bytes, and its 32-bit data are skipped."""

    def counts(at):
        return struct.unpack(">6l", file[at + 20:at + 44])

    ut, standard, leaps, times, types, characters = counts(0)
    second = 44 + times * 5 + types * 6 + characters + leaps * 8 + standard + ut
    times = counts(second)[3]
    return struct.unpack(f">{times}q", file[second + 44:second + 44 + 8 * times])


def changes_by_rule(zone, begin):
    """Where the offset differs between two steps, to the second, by bisection."""
    found = []
    for low in range(begin, LAST, STEP):
        high = low + STEP
        before = offset_us(zone, low * SECOND)
        if offset_us(zone, high * SECOND) == before:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_us(zone, middle * SECOND) == before else (low, middle)
        found.append(high)
    return found


def changes(zone, file):
    listed = [at for at in listed_changes(file) if PYTHON[0] < at < LAST]
    return listed + changes_by_rule(zone, max(listed, default=FIRST) + 1)


def moments(zone, at):
    """(UTC moments, local times) around the change at a second."""
    before, after = (offset_us(zone, at * SECOND + shift) for shift in (-1, 0))
    near = [at * SECOND + shift for shift in (-SECOND, -1, 0, SECOND)]
    readings = [at * SECOND + offset for offset in (before, (before + after) // 2, after)]
    return near, [reading + shift for reading in readings for shift in (-SECOND, -1, 0, SECOND)]


def random_moments(draw):
    near = [draw.randrange(FIRST * SECOND, LAST * SECOND) for _ in range(RANDOM_EACH)]
    wide = [draw.randrange(PYTHON[0] * SECOND, PYTHON[1] * SECOND) for _ in range(RANDOM_EACH)]
    return near + wide


class Oracle:
    def __init__(self, tzdata):
        self.folder = tzdata / "zoneinfo"
        self.names = sorted((tzdata / "zones").read_text().split())
        self.version = (self.folder / "tzdata.zi").read_text().split()[2]
        self.questions, self.expected = ["tables", "names"], [self.version, " ".join(self.names) + " "]
        self.of_file = {}
        self.changes_count = self.slips_count = 0

    def ask(self, question, answer):
        self.questions.append(question)
        self.expected.append(str(answer))

    def ask_zone(self, name):
        file = (self.folder / name).read_bytes()
        self.ask(f"zone {name}", name)
        # An alias is asked the same questions; working the answers out again would only take time.
        if file not in self.of_file:
            begin = len(self.questions)
            self.ask_zoneinfo(name, file)
            self.ask_c_library(name)
            self.of_file[file] = self.questions[begin:], self.expected[begin:]
        else:
            questions, expected = self.of_file[file]
            self.questions += questions
            self.expected += expected

    def ask_zoneinfo(self, name, file):
        zone = zoneinfo.ZoneInfo(name)
        utc = random_moments(random.Random(name))
        local = list(utc)
        for at in changes(zone, file):
            near, readings = moments(zone, at)
            utc += near
            local += readings
            self.changes_count += 1
        for us in utc:
            self.ask(f"offset {us}", offset_us(zone, us))
        for us in local:
            answer, slip = utc_us(zone, us)
            self.ask(f"utc {us}", answer)
            self.slips_count += slip

    def ask_c_library(self, name):
        os.environ["TZ"] = f":{self.folder / name}"
        time.tzset()
        draw = random.Random(name)
        for us in [*RANGE] + [draw.randrange(*RANGE) for _ in range(RANDOM_EACH)]:
            self.ask(f"offset {us}", time.localtime(us // SECOND).tm_gmtoff * SECOND)


def differences(oracle, answers):
    zone = None
    for question, expected, answer in zip(oracle.questions, oracle.expected, answers):
        zone = expected if question.startswith("zone ") else zone
        if answer != expected:
            yield f"{zone}: {question}: {answer}, not {expected}"


def main(arguments):
    program, tzdata = (pathlib.Path(argument).resolve() for argument in arguments)
    zoneinfo.reset_tzpath([tzdata / "zoneinfo"])
    oracle = Oracle(tzdata)
    for name in oracle.names:
        oracle.ask_zone(name)
    text = "\n".join(oracle.questions) + "\n"
    done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=600, check=True)
    answers = done.stdout.splitlines()
    found = list(differences(oracle, answers))
    for difference in found[:20]:
        print(difference)
    print(f"tables {oracle.version}: {len(oracle.names)} zones, {len(oracle.of_file)} different, "
          f"{oracle.changes_count} changes, {len(oracle.questions)} questions, "
          f"{oracle.slips_count} slips of zoneinfo, {len(found)} answers differ")
    enough = oracle.changes_count > 10_000 and oracle.slips_count < 100
    return 0 if enough and not found and len(answers) == len(oracle.questions) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
