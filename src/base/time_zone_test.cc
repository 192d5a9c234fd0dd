#include "base/time_zone.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "base/time.h"

namespace coeval {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::int64_t at(std::string_view text) { return parse_time(text).value(); }

const TimeZone& zone(std::string_view name) { return *TimeZone::find(name).value(); }

// What a clock in the zone shows; format_time ends with the Z of UTC, which this is not.
std::string shown(std::string_view name, std::string_view utc) {
  std::string text = format_time(zone(name).to_local(at(utc)));
  text.pop_back();
  return text;
}

// The moment at which a clock in the zone shows `local`.
std::string moment(std::string_view name, std::string_view local) {
  return format_time(zone(name).to_utc(at(local)));
}

std::int64_t offset_s(std::string_view name, std::string_view utc) {
  return zone(name).offset_us_at(at(utc)) / kSecondUs;
}

std::string error_of(std::string_view name) {
  const auto found = TimeZone::find(name);
  return found ? "found" : one_line(found.error());
}

// Expectations below follow from the published rules: EU: last Sundays of March and October at
// 01:00 UTC; USA: second Sunday of March and first of November at 02:00 local time.

TEST_CASE("in Berlin the clocks skip an hour in March") {
  CHECK(shown("Europe/Berlin", "2024-03-31T00:59:59.999999Z") == "2024-03-31T01:59:59.999999");
  CHECK(shown("Europe/Berlin", "2024-03-31T01:00:00Z") == "2024-03-31T03:00:00");
  CHECK(moment("Europe/Berlin", "2024-03-31T01:59:59.999999") == "2024-03-31T00:59:59.999999Z");
  CHECK(moment("Europe/Berlin", "2024-03-31T03:00") == "2024-03-31T01:00:00Z");
  // 02:30 was never shown: read an hour later, as 03:30.
  CHECK(moment("Europe/Berlin", "2024-03-31T02:30") == "2024-03-31T01:30:00Z");
  CHECK(moment("Europe/Berlin", "2024-03-31T02:00") == "2024-03-31T01:00:00Z");
}

TEST_CASE("in Berlin the clocks show an hour twice in October") {
  CHECK(shown("Europe/Berlin", "2024-10-27T00:59:59Z") == "2024-10-27T02:59:59");
  CHECK(shown("Europe/Berlin", "2024-10-27T01:00:00Z") == "2024-10-27T02:00:00");
  // 02:30 was shown at 00:30 and at 01:30 UTC: the earlier.
  CHECK(moment("Europe/Berlin", "2024-10-27T02:00") == "2024-10-27T00:00:00Z");
  CHECK(moment("Europe/Berlin", "2024-10-27T02:30") == "2024-10-27T00:30:00Z");
  CHECK(moment("Europe/Berlin", "2024-10-27T02:59:59.999999") == "2024-10-27T00:59:59.999999Z");
  CHECK(moment("Europe/Berlin", "2024-10-27T03:00") == "2024-10-27T02:00:00Z");
}

TEST_CASE("New York changes by its own clock") {
  CHECK(shown("America/New_York", "2024-03-10T06:59:59Z") == "2024-03-10T01:59:59");
  CHECK(shown("America/New_York", "2024-03-10T07:00:00Z") == "2024-03-10T03:00:00");
  CHECK(shown("America/New_York", "2024-11-03T05:59:59Z") == "2024-11-03T01:59:59");
  CHECK(shown("America/New_York", "2024-11-03T06:00:00Z") == "2024-11-03T01:00:00");
  CHECK(moment("America/New_York", "2024-11-03T01:30") == "2024-11-03T05:30:00Z");
}

TEST_CASE("Lord Howe's summer time is half an hour") {
  CHECK(offset_s("Australia/Lord_Howe", "2024-01-01") == 11 * 3600);
  CHECK(offset_s("Australia/Lord_Howe", "2024-07-01") == 10 * 3600 + 1800);
  CHECK(shown("Australia/Lord_Howe", "2024-04-06T15:00Z") == "2024-04-07T01:30:00");
  CHECK(shown("Australia/Lord_Howe", "2024-10-05T15:30Z") == "2024-10-06T02:30:00");
  CHECK(moment("Australia/Lord_Howe", "2024-10-06T02:15") == "2024-10-05T15:45:00Z");
}

TEST_CASE("Samoa had no 30 December 2011") {
  CHECK(shown("Pacific/Apia", "2011-12-30T09:59:59Z") == "2011-12-29T23:59:59");
  CHECK(shown("Pacific/Apia", "2011-12-30T10:00:00Z") == "2011-12-31T00:00:00");
  CHECK(moment("Pacific/Apia", "2011-12-30T12:00") ==
        "2011-12-30T22:00:00Z");  // 31 December, 12:00
}

TEST_CASE("zones without changes today") {
  CHECK(offset_s("Asia/Kathmandu", "2024-07-01") == 5 * 3600 + 45 * 60);
  CHECK(offset_s("Asia/Kathmandu", "1985-07-01") == 5 * 3600 + 30 * 60);
  CHECK(offset_s("Etc/GMT+5", "2024-07-01") == -5 * 3600);  // POSIX: west is positive
  CHECK(offset_s("Etc/GMT-14", "2024-07-01") == 14 * 3600);
  CHECK(offset_s("Etc/UTC", "2024-07-01") == 0);
  CHECK(moment("Etc/GMT+5", "2024-07-01T00:00") == "2024-07-01T05:00:00Z");
}

TEST_CASE("before the first change a zone has its local mean time") {
  CHECK(offset_s("Europe/Berlin", "1800-01-01") == 53 * 60 + 28);
  CHECK(zone("Europe/Berlin").offset_us_at(kLeast) == (53 * 60 + 28) * kSecondUs);
}

TEST_CASE("after the last listed change the rule goes on") {
  CHECK(shown("Europe/Berlin", "2090-03-26T00:59:59Z") == "2090-03-26T01:59:59");
  CHECK(shown("Europe/Berlin", "2090-03-26T01:00:00Z") == "2090-03-26T03:00:00");
  CHECK(shown("Europe/Berlin", "2090-10-29T01:00:00Z") == "2090-10-29T02:00:00");
  CHECK(moment("Europe/Berlin", "2090-03-26T02:30") == "2090-03-26T01:30:00Z");
  CHECK(offset_s("America/New_York", "2090-03-12T06:59:59Z") == -5 * 3600);
  CHECK(offset_s("America/New_York", "2090-03-12T07:00:00Z") == -4 * 3600);
  CHECK(offset_s("America/New_York", "2090-11-05T06:00:00Z") == -5 * 3600);
  // Greenland's rule is written with the hour −1 of the last Sunday of March.
  CHECK(offset_s("America/Nuuk", "2030-03-31T00:59:59Z") == -2 * 3600);
  CHECK(offset_s("America/Nuuk", "2030-03-31T01:00:00Z") == -1 * 3600);
  // Ireland's summer time is its standard time, and its winter time the exception.
  CHECK(offset_s("Europe/Dublin", "2090-01-01") == 0);
  CHECK(offset_s("Europe/Dublin", "2090-07-01") == 3600);
}

TEST_CASE("after 400 years the calendar, and with it a rule, repeats") {
  const std::int64_t cycle = 146'097 * kDayUs;
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Gaza"}) {
    const TimeZone& it = zone(name);
    // Over the seam of the stored changes, every seven hours of three years.
    for (std::int64_t us = at("2395-01-01"); us < at("2398-01-01"); us += 7 * kHourUs) {
      REQUIRE(it.offset_us_at(us + cycle) == it.offset_us_at(us));
      REQUIRE(it.offset_us_at(us + 20 * cycle) == it.offset_us_at(us));
      REQUIRE(it.to_utc(us + 20 * cycle) == it.to_utc(us) + 20 * cycle);
    }
  }
  CHECK(offset_s("Europe/Berlin", "9999-07-01") == 2 * 3600);
}

TEST_CASE("every moment goes to local time and back, but for the second showing of an hour") {
  for (const char* name : {"Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"}) {
    const TimeZone& it = zone(name);
    for (std::int64_t us = at("1890-01-01"); us < at("2100-01-01"); us += 17 * kHourUs + 1) {
      const std::int64_t back = it.to_utc(it.to_local(us));
      REQUIRE(back <= us);
      REQUIRE(it.to_local(back) == it.to_local(us));
      if (it.offset_us_at(us - kDayUs) == it.offset_us_at(us)) REQUIRE(back == us);
    }
  }
}

TEST_CASE("the ends of the range saturate") {
  CHECK(zone("Asia/Tokyo").to_local(kMost) == kMost);
  CHECK(zone("Asia/Tokyo").to_utc(kLeast) == kLeast);
  CHECK(zone("America/New_York").to_local(kLeast) == kLeast);
  CHECK(zone("America/New_York").to_utc(kMost) == kMost);
  CHECK(zone("Etc/GMT-9").to_local(kLeast) == kLeast + 9 * kHourUs);
  CHECK(zone("Etc/GMT-9").to_utc(kMost) == kMost - 9 * kHourUs);
  CHECK(zone("UTC").to_local(kMost) == kMost);
  CHECK(zone("UTC").to_utc(kLeast) == kLeast);
}

TEST_CASE("zones are found by their exact names, aliases too") {
  CHECK(&zone("UTC") == &TimeZone::utc());
  CHECK(zone("Asia/Calcutta").name() == "Asia/Calcutta");
  CHECK(zone("Asia/Calcutta").offset_us_at(0) == zone("Asia/Kolkata").offset_us_at(0));
  CHECK(&zone("Europe/Berlin") == &zone("Europe/Berlin"));
  const auto names = TimeZone::names();
  CHECK(names.size() > 400);
  CHECK(std::ranges::is_sorted(names));
  CHECK(std::ranges::count(names, "UTC") == 1);
  CHECK(std::ranges::count(names, "Africa/Abidjan") == 1);
}

TEST_CASE("the release of the tables has IANA's form") {
  const std::string_view version = TimeZone::tables_version();
  REQUIRE(version.size() >= 5);
  CHECK(std::ranges::all_of(version.substr(0, 4), [](char c) { return c >= '0' && c <= '9'; }));
  CHECK(std::ranges::all_of(version.substr(4), [](char c) { return c >= 'a' && c <= 'z'; }));
}

TEST_CASE("a name that is not there is answered with the one that was meant") {
  const auto meant = [](std::string_view name, const std::string& suggestion) {
    CHECK(error_of(name) == "error[C0418]: unknown time zone '" + std::string(name) +
                                "'; did you mean '" + suggestion + "'?");
  };
  meant("europe/berlin", "Europe/Berlin");
  meant("utc", "UTC");
  meant("Berlin", "Europe/Berlin");
  meant("New York", "America/New_York");
  meant("America/NewYork", "America/New_York");
  meant("Europe/New_York", "America/New_York");
  meant("Europe/Brelin", "Europe/Berlin");
  meant("Asia/Calcuta", "Asia/Calcutta");
  meant("Australia/Lord Howe", "Australia/Lord_Howe");
  for (std::string_view name : {"", "/", "Mars/Olympus_Mons", "+02:00", "Europe/Berlin/", "PST"})
    CHECK(error_of(name).starts_with("error[C0418]: unknown time zone '" + std::string(name) +
                                     "'; "));
  CHECK(error_of("x9").ends_with("write a name of the IANA tables, such as Europe/Berlin, or UTC"));
  CHECK(error_of(std::string(100'000, 'x'))
            .starts_with("error[C0418]: unknown time zone of 100000 bytes; write a name of"));
  CHECK(error_of(std::string_view("UTC\0", 4)).starts_with("error[C0418]"));
}

TEST_CASE("threads that ask for all zones at once get the same ones") {
  const auto names = TimeZone::names();
  std::vector<std::vector<const TimeZone*>> found(4);
  std::vector<std::thread> threads;
  for (auto& mine : found)
    threads.emplace_back([&mine, &names] {
      for (const auto& name : names) mine.push_back(&zone(name));
    });
  for (auto& thread : threads) thread.join();
  CHECK(found[0].size() == names.size());
  for (const auto& other : found) CHECK(other == found[0]);
}

}  // namespace
}  // namespace coeval
