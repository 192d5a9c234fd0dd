#include "base/tzif.h"

#include <doctest/doctest.h>

#include <random>

#include "base/time.h"
#include "base/time_zone.h"
#include "base/zone_tables.h"

namespace coeval {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& out, std::uint64_t value, unsigned width) {
  for (unsigned i = width; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void put(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

void put_header(Bytes& out, char version, std::size_t leaps, std::size_t times, std::size_t types) {
  put(out, "TZif");
  put(out, static_cast<std::uint8_t>(version), 1);
  out.insert(out.end(), 15, 0);
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{0}, leaps, times, types, std::size_t{4}})
    put(out, count, 4);
}

/// A file by the layout of RFC 9636, section 3: `first_s` before the first change.
struct TestFile {
  char version = '2';
  std::int32_t first_s = 0;
  std::vector<ZoneChange> changes = {};
  std::string rule = {};
  std::size_t leaps = 0;

  Bytes bytes() const {
    Bytes out;
    put_header(out, version, 0, 0, 1);
    out.insert(out.end(), 6 + 4, 0);
    put_header(out, version, leaps, changes.size(), changes.size() + 1);
    for (const auto& change : changes) put(out, static_cast<std::uint64_t>(change.at_s), 8);
    for (std::size_t i = 0; i < changes.size(); ++i) put(out, i + 1, 1);
    put_type(out, first_s);
    for (const auto& change : changes) put_type(out, change.offset_s);
    put(out, std::string_view("ABC\0", 4));
    out.insert(out.end(), leaps * 12, 0);
    put(out, "\n" + rule + "\n");
    return out;
  }

  static void put_type(Bytes& out, std::int32_t offset) {
    put(out, static_cast<std::uint32_t>(offset), 4);
    put(out, 0, 2);
  }
};

std::int64_t at(std::string_view text) { return parse_time(text).value(); }
std::int64_t at_s(std::string_view text) { return at(text) / kSecondUs; }

TimeZone made(const TestFile& file) {
  auto zone = TimeZone::from_tzif("Test/Zone", file.bytes());
  if (!zone) FAIL(one_line(zone.error()));
  return std::move(*zone);
}

TimeZone ruled(const std::string& rule) { return made({.rule = rule}); }

std::string error_of(const TestFile& file) {
  const auto zone = TimeZone::from_tzif("Test/Zone", file.bytes());
  return zone ? "read" : zone.error().message;
}

std::int64_t offset_s(const TimeZone& zone, std::string_view utc) {
  return zone.offset_us_at(at(utc)) / kSecondUs;
}

// Whether the offset becomes `after` at that very microsecond, from another one.
bool changes_at(const TimeZone& zone, std::string_view utc, std::int64_t after) {
  return offset_s(zone, utc) == after && zone.offset_us_at(at(utc) - 1) != after * kSecondUs;
}

TEST_CASE("listed changes hold from their second on") {
  const TimeZone zone = made({.first_s = 100, .changes = {{-10, 200}, {0, -300}, {10, 400}}});
  CHECK(zone.name() == "Test/Zone");
  CHECK(zone.offset_us_at(-10'000'001) == 100 * kSecondUs);
  CHECK(zone.offset_us_at(-10'000'000) == 200 * kSecondUs);
  CHECK(zone.offset_us_at(-1) == 200 * kSecondUs);
  CHECK(zone.offset_us_at(0) == -300 * kSecondUs);
  CHECK(zone.offset_us_at(9'999'999) == -300 * kSecondUs);
  CHECK(zone.offset_us_at(std::numeric_limits<std::int64_t>::max()) == 400 * kSecondUs);
}

TEST_CASE("changes outside of the range of microseconds count as before or never") {
  const std::int64_t far = std::int64_t{1} << 59U;
  const TimeZone zone =
      made({.first_s = 1, .changes = {{-far, 2}, {-far + 1, 3}, {0, 4}, {far, 5}}});
  CHECK(zone.offset_us_at(std::numeric_limits<std::int64_t>::min()) == 3 * kSecondUs);
  // 3 s also by the clock: the moment is before the range.
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  CHECK(zone.to_utc(least + 2'500'000) == least);
  CHECK(zone.offset_us_at(0) == 4 * kSecondUs);
  CHECK(zone.offset_us_at(std::numeric_limits<std::int64_t>::max()) == 4 * kSecondUs);
}

TEST_CASE("a zone that is nothing but a rule has always had it") {
  const TimeZone zone = ruled("EST5EDT,M3.2.0,M11.1.0");
  CHECK(changes_at(zone, "2024-03-10T07:00Z", -4 * 3600));
  CHECK(changes_at(zone, "2024-11-03T06:00Z", -5 * 3600));
  CHECK(changes_at(zone, "1800-03-09T07:00Z", -4 * 3600));  // a second Sunday
  const std::int64_t cycle = 146'097 * kDayUs;
  for (std::int64_t us = at("1998-01-01"); us < at("2002-01-01"); us += 5 * kHourUs)
    for (const std::int64_t far : {us - 30 * cycle, us - cycle, us + cycle, us + 30 * cycle}) {
      REQUIRE(zone.offset_us_at(far) == zone.offset_us_at(us));
      REQUIRE(zone.to_utc(far) - far == zone.to_utc(us) - us);
    }
  CHECK(offset_s(ruled("<-03>3"), "1000-01-01") == -3 * 3600);
}

TEST_CASE("a rule names its days in three ways") {
  const TimeZone without_leap_day = ruled("AAA0BBB,J60/0,J300/0");
  CHECK(changes_at(without_leap_day, "2023-03-01T00:00Z", 3600));
  CHECK(changes_at(without_leap_day, "2024-03-01T00:00Z", 3600));
  CHECK(changes_at(without_leap_day, "2023-10-26T23:00Z", 0));  // day 300 is 27 October
  CHECK(changes_at(without_leap_day, "2024-10-26T23:00Z", 0));
  const TimeZone with_leap_day = ruled("AAA0BBB,59/0,300/0");
  CHECK(changes_at(with_leap_day, "2023-03-01T00:00Z", 3600));
  CHECK(changes_at(with_leap_day, "2024-02-29T00:00Z", 3600));
  const TimeZone last_friday = ruled("AAA0BBB,M2.5.5/0,M12.5.5/0");
  CHECK(changes_at(last_friday, "2023-02-24T00:00Z", 3600));
  CHECK(changes_at(last_friday, "2024-02-23T00:00Z", 3600));
  CHECK(changes_at(last_friday, "2023-12-28T23:00Z", 0));
}

TEST_CASE("a rule's times reach beyond their day") {
  // Fifty hours after the start of the fourth Thursday, 28 March 2030.
  CHECK(changes_at(ruled("EET-2EEST,M3.4.4/50,M10.4.4/50"), "2030-03-30T00:00Z", 3 * 3600));
  CHECK(changes_at(ruled("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), "2030-03-31T01:00Z", -3600));
  // Into the year before, and into the year after.
  CHECK(changes_at(ruled("AAA0BBB,J1/-24,J180/0"), "2022-12-31T00:00Z", 3600));
  CHECK(changes_at(ruled("AAA0BBB,J180/0,J365/49"), "2024-01-02T00:00Z", 0));
}

TEST_CASE("offsets and times of a rule may have minutes and seconds") {
  const TimeZone zone = ruled("AAA-1:02:03BBB-2:03:04,J100/4:05:06,J200");
  CHECK(offset_s(zone, "2024-01-01") == 3723);
  CHECK(changes_at(zone, "2023-04-10T03:03:03Z", 7384));
  CHECK(changes_at(zone, "2023-07-18T23:56:56Z", 3723));
}

TEST_CASE("a summer time may last all year") {
  // RFC 9636's example of a summer time without end: it stops at the moment at which the next
  // year's begins.
  const TimeZone zone = ruled("XXX3EDT4,0/0,J365/23");
  for (std::int64_t us = at("2019-12-01"); us < at("2025-02-01"); us += kHourUs)
    REQUIRE(zone.offset_us_at(us) == -4 * kHourUs);
}

TEST_CASE("the rule follows the last listed change") {
  const TestFile file{.first_s = 0,
                      .changes = {{at_s("1980-01-01"), 7200}, {at_s("1990-01-01"), 3600}},
                      .rule = "CET-1CEST,M3.5.0,M10.5.0/3"};
  const TimeZone zone = made(file);
  CHECK(offset_s(zone, "1985-01-01") == 7200);
  CHECK(offset_s(zone, "1985-07-01") == 7200);
  CHECK(offset_s(zone, "1990-01-01") == 3600);
  CHECK(changes_at(zone, "1990-03-25T01:00Z", 7200));
  CHECK(changes_at(zone, "2024-03-31T01:00Z", 7200));
  CHECK(changes_at(zone, "2390-03-25T01:00Z", 7200));
}

TEST_CASE("the last listed change may come long after the rule's own of that year") {
  const TimeZone zone = made({.first_s = 0,
                              .changes = {{at_s("1990-01-01"), 11 * 3600}},
                              .rule = "AEST-10AEDT,M10.1.0,M4.1.0/3"});
  CHECK(offset_s(zone, "1990-02-01") == 11 * 3600);
  CHECK(changes_at(zone, "1990-03-31T16:00Z", 10 * 3600));
  CHECK(changes_at(zone, "2024-10-05T16:00Z", 11 * 3600));
}

TEST_CASE("a year of the rule is not mistaken for its first, which began otherwise") {
  // In its first autumn the clocks stay: there was no summer time that year. (Like Greenland in
  // 2023.)
  const TimeZone zone = made(
      {.first_s = 3600,
       .changes = {{at_s("2023-03-26T00:00Z"), 2 * 3600}, {at_s("2023-10-29T00:00Z"), 2 * 3600}},
       .rule = "<+02>-2<+03>,M3.5.0/2,M10.5.0/3"});
  const auto moment = [&](std::string_view local) { return format_time(zone.to_utc(at(local))); };
  CHECK(moment("2023-10-29T02:30") == "2023-10-29T00:30:00Z");
  CHECK(moment("2024-10-27T02:30") == "2024-10-26T23:30:00Z");  // shown twice
  CHECK(moment("2423-10-29T02:30") == "2423-10-28T23:30:00Z");
  CHECK(changes_at(zone, "2423-10-29T00:00Z", 2 * 3600));
}

TEST_CASE("a rule that contradicts the last change is refused") {
  CHECK(error_of({.changes = {{0, 3600}}, .rule = "EET-2"}) ==
        "the time zone's rule contradicts its last change");
  CHECK(error_of({.changes = {{at_s("2024-07-01"), 3600}}, .rule = "CET-1CEST,M3.5.0,M10.5.0/3"}) ==
        "the time zone's rule contradicts its last change");
  const std::int64_t far = std::int64_t{1} << 50U;
  CHECK(error_of({.changes = {{far, 3600}}, .rule = "CET-1CEST,M3.5.0,M10.5.0/3"}) ==
        "the time zone's last change is too far away");
}

TEST_CASE("what is not a rule is refused") {
  for (const char* rule : {"CET",
                           "C1",
                           "1",
                           "CET-1CEST",
                           "CET-1CEST,M3.5.0",
                           "CET-1CEST,M3.5.0,",
                           "CET-25",
                           "CET-1:60",
                           "CET-1CEST,M0.5.0,M10.5.0",
                           "CET-1CEST,M13.5.0,M10.5.0",
                           "CET-1CEST,M3.6.0,M10.5.0",
                           "CET-1CEST,M3.0.0,M10.5.0",
                           "CET-1CEST,M3.5.7,M10.5.0",
                           "CET-1CEST,J0,J300",
                           "CET-1CEST,J366,J1",
                           "CET-1CEST,366,1",
                           "CET-1CEST,M3.5.0/168,M10.5.0",
                           "CET-1CEST,M3.5.0,M10.5.0/3x",
                           "<CET-1",
                           "<C>-1",
                           "CET-1 ",
                           "CET-1,M3.5.0,M10.5.0",
                           "CET--1",
                           "CET-1CEST,M3.5,M10.5.0",
                           "CET-1:1:1:1",
                           "CET-1111"}) {
    CAPTURE(rule);
    CHECK(error_of({.rule = rule}) == "not the rule of a time zone: '" + std::string(rule) + "'");
  }
}

TEST_CASE("what is not a TZif file of our kind is refused") {
  const auto because = [](const TestFile& file, const std::string& reason) {
    CHECK(error_of(file) == "not a TZif file with 64-bit data: " + reason);
  };
  because({.version = '\0'}, "the header is not that of version 2 to 4");
  because({.leaps = 1}, "it counts leap seconds");
  because({.changes = {{5, 0}, {5, 1}}}, "the changes do not ascend");
  because({.changes = {{5, 0}, {4, 1}}}, "the changes do not ascend");
  because({.changes = {{0, 26 * 3600}}}, "an offset is out of range");
  because({.first_s = -25 * 3600}, "an offset is out of range");
  CHECK(error_of({.version = '4', .first_s = 26 * 3600 - 1}) == "read");
}

// Asks around every place where something could be out of bounds.
void ask(const TimeZone& zone) {
  for (std::int64_t us : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1} << 62U,
                          at("1850-01-01"), std::int64_t{0}, at("2024-07-01"), at("2500-01-01"),
                          std::int64_t{1} << 62U, std::numeric_limits<std::int64_t>::max()}) {
    static_cast<void>(zone.to_local(us));
    static_cast<void>(zone.to_utc(us));
  }
}

Bytes file_of(std::string_view name) {
  const auto tables = ZoneTables::open(embedded_zone_tables());
  const auto file = tables.value().file(tables->find(name).value());
  return {file.begin(), file.end()};
}

TEST_CASE("a real file that is cut off is refused at every length") {
  const Bytes whole = file_of("Europe/Berlin");
  REQUIRE(TimeZone::from_tzif("x", whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    REQUIRE_FALSE(TimeZone::from_tzif("x", std::span(whole).first(size)));
}

TEST_CASE("a damaged file is refused or read, and nothing worse") {
  std::mt19937_64 random(20240331);
  std::size_t refused = 0;
  for (const char* name : {"Europe/Berlin", "Africa/Casablanca", "Asia/Gaza", "Etc/GMT+5"}) {
    const Bytes whole = file_of(name);
    for (std::size_t byte = 0; byte < whole.size(); ++byte) {
      Bytes damaged = whole;
      damaged[byte] ^= static_cast<std::uint8_t>(1U << random() % 8);
      if (random() % 4 == 0)
        damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
      const auto zone = TimeZone::from_tzif(name, damaged);
      if (zone) ask(*zone);
      refused += zone ? 0 : 1;
    }
  }
  CHECK(refused > 100);
}

}  // namespace
}  // namespace coeval
