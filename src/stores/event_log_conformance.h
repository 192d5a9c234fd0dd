#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stores/event_log.h"

// What every EventLog must do, as checks that any test can run over its own make function.
namespace coeval::stores {

/// A record that owns its payload.
struct KeptRecord {
  std::uint64_t position = 0;
  RecordKind kind = RecordKind::event;
  std::int64_t known_us = 0;
  std::uint32_t source = 0, schema_version = 0;
  std::string payload;
  friend bool operator==(const KeptRecord&, const KeptRecord&) = default;
};

/// All that a log shows from a position on. Fails the test when reading fails.
inline std::vector<KeptRecord> records_of(const EventLog& log, std::uint64_t from = 0) {
  std::vector<KeptRecord> kept;
  const Status read = log.read(Position{from}, [&](const Record& record) {
    kept.push_back({record.position.value, record.kind, record.known.us, record.source,
                    record.schema_version, std::string(record.payload)});
    return true;
  });
  CHECK_MESSAGE(read.has_value(), (read ? std::string() : one_line(read.error())));
  return kept;
}

inline Draft event_draft(std::string_view payload, std::int64_t known_us = 0) {
  return {RecordKind::event, KnownTime{known_us}, 7, 9, payload};
}

using MakeLog = std::function<std::unique_ptr<EventLog>()>;

inline void check_positions_and_times(const MakeLog& make) {
  const auto log = make();
  CHECK(log->next_position() == Position{0});
  CHECK(log->last_known().us == INT64_MIN);
  CHECK(log->append(event_draft("a", 100)).value() == Position{0});
  CHECK(log->append(event_draft("b", 50)).value() == Position{1});  // semantics: T1
  CHECK(log->append({RecordKind::prediction, KnownTime{200}, 0, 0, ""}).value() == Position{2});
  CHECK(log->next_position() == Position{3});
  CHECK(log->last_known().us == 200);
  REQUIRE(log->sync().has_value());
  const std::vector<KeptRecord> expected = {{0, RecordKind::event, 100, 7, 9, "a"},
                                            {1, RecordKind::event, 100, 7, 9, "b"},
                                            {2, RecordKind::prediction, 200, 0, 0, ""}};
  CHECK(records_of(*log) == expected);
}

inline void check_only_flushed_is_read(const MakeLog& make) {
  const auto log = make();
  REQUIRE(log->append(event_draft("a")).has_value());
  CHECK(records_of(*log).empty());
  REQUIRE(log->flush().has_value());
  REQUIRE(log->append(event_draft("b")).has_value());
  CHECK(records_of(*log).size() == 1);
  REQUIRE(log->sync().has_value());
  CHECK(records_of(*log).size() == 2);
}

inline void check_reading_from_and_until(const MakeLog& make) {
  const auto log = make();
  for (int i = 0; i < 1000; ++i)
    REQUIRE(log->append(event_draft(std::to_string(i), i)).has_value());
  REQUIRE(log->flush().has_value());
  for (const std::uint64_t from : {0u, 1u, 499u, 998u, 999u}) {
    const auto rest = records_of(*log, from);
    REQUIRE(rest.size() == 1000 - from);
    CHECK(rest.front().payload == std::to_string(from));
    CHECK(rest.back().position == 999);
  }
  CHECK(records_of(*log, 1000).empty());
  CHECK(records_of(*log, UINT64_MAX).empty());
  int seen = 0;
  CHECK(log->read(Position{10}, [&](const Record&) { return ++seen < 3; }).has_value());
  CHECK(seen == 3);
}

inline void check_payload_limits(const MakeLog& make) {
  const auto log = make();
  const std::string largest(kMaxPayloadBytes, 'x');
  CHECK(log->append(event_draft(largest)).value() == Position{0});
  const auto refused = log->append(event_draft(largest + "x"));
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == Code::out_of_range);
  CHECK(log->append(event_draft(std::string("\0\xff", 2))).value() == Position{1});
  REQUIRE(log->sync().has_value());
  const auto kept = records_of(*log);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].payload == largest);
  CHECK(kept[1].payload == std::string("\0\xff", 2));
}

inline void check_reopening_a_sound_log_changes_nothing(const MakeLog& make) {
  const auto log = make();
  REQUIRE(log->append(event_draft("a")).has_value());
  CHECK(log->reopen().has_value());
  CHECK(log->next_position() == Position{1});
  REQUIRE(log->sync().has_value());
  CHECK(records_of(*log).size() == 1);
}

inline void check_event_log_conformance(const MakeLog& make) {
  SUBCASE("positions are dense and known time never decreases") { check_positions_and_times(make); }
  SUBCASE("only flushed records are read") { check_only_flushed_is_read(make); }
  SUBCASE("a read begins and ends where it is told to") { check_reading_from_and_until(make); }
  SUBCASE("payloads are kept byte for byte up to the limit") { check_payload_limits(make); }
  SUBCASE("reopening a log that is well changes nothing") {
    check_reopening_a_sound_log_changes_nothing(make);
  }
}

}  // namespace coeval::stores
